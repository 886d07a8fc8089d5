"""The historical methods of a `HumanMonitor`."""

from __future__ import annotations

import os
from typing import Optional, Union

from kvmtest import HumanMonitor, MonitorError

from . import _monitor
from ._left_out import LeftOutError

__all__ = [
    "cmd",
    "is_responsive",
    "migrate",
    "migrate_set_speed",
    "mouse_button",
    "mouse_move",
    "quit",
    "screendump",
    "sendkey",
    "verify_responsive",
]

ALIASES = {"query": "info"}

_cmd = HumanMonitor.cmd


def cmd(
    self: HumanMonitor, command_line: str, timeout: Optional[float] = None, debug: bool = True
) -> str:
    """What it answers to a line. The time that it may take is the library's."""
    return _cmd(self, command_line)


def is_responsive(self: HumanMonitor) -> bool:
    """Whether it answers."""
    try:
        verify_responsive(self)
    except MonitorError:
        return False
    return True


def verify_responsive(self: HumanMonitor) -> None:
    """Raises if it does not answer."""
    _cmd(self, "info status")


def quit(self: HumanMonitor) -> None:
    """Ends QEMU. It does not always come to an answer."""
    try:
        _cmd(self, "quit")
    except MonitorError:
        pass


def screendump(
    self: HumanMonitor, filename: Union[str, os.PathLike[str]], debug: bool = True
) -> str:
    """Has QEMU write the screen to a file, as PPM."""
    return _cmd(self, f"screendump {_word(filename)}")


def migrate(
    self: HumanMonitor,
    uri: str,
    full_copy: bool = False,
    incremental_copy: bool = False,
    wait: bool = False,
) -> str:
    """Starts a migration. To wait for it, start it on the machine's `monitor`."""
    if wait:
        raise LeftOutError("use `vm.monitor.migrate(uri, wait=True)`")
    options = [option for option, on in (("-b", full_copy), ("-i", incremental_copy)) if on]
    return _cmd(self, " ".join(["migrate", "-d", *options, _word(uri)]))


def migrate_set_speed(self: HumanMonitor, value: Union[int, str]) -> str:
    """How many bytes a second a migration may send; `value` may have a suffix: `32m`."""
    return _cmd(self, f"migrate_set_parameter max-bandwidth {_monitor.bytes_of(value)}B")


def sendkey(self: HumanMonitor, keystr: str, hold_time: int = 1) -> str:
    """Presses keys together for `hold_time` milliseconds."""
    return _cmd(self, f"sendkey {_word(keystr)} {hold_time}")


def mouse_move(self: HumanMonitor, dx: int, dy: int) -> str:
    """Moves the mouse."""
    return _cmd(self, f"mouse_move {dx} {dy}")


def mouse_button(self: HumanMonitor, state: int) -> str:
    """Presses and releases the buttons of the mouse: 1 the left, 2 the middle, 4 the right."""
    return _cmd(self, f"mouse_button {state}")


def _word(value: Union[str, os.PathLike[str]]) -> str:
    """A word for the human monitor, in quotes as it reads them."""
    text = os.fspath(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
