"""Test virtual machines: QEMU, its monitors, consoles and sessions."""

from ._kvmtest import __version__

__all__ = ["__version__"]
