"""The names that subtests of 2009 to 2011 knew: `kvm_utils`, `kvm_test_utils`, and so on.

They are modules of the top level, and so they are found only where the folder `path()` is on
`sys.path`: in a subtest that `kvmtest run` runs. Elsewhere::

    import sys, kvmtest.historical
    sys.path.append(kvmtest.historical.path())
    import kvm_test_utils

With the first of them that is imported, machines, sessions and monitors learn the methods and
arguments that they had then (`vm.get_params()`, `session.get_command_output(line)`). What has no
counterpart raises `NotImplementedError` with what to do instead.

New subtests need none of this: see `kvmtest`.
"""

from __future__ import annotations

import os

from ._context import tell_contexts

__all__ = ["path", "tell_contexts"]


def path() -> str:
    """The folder in which the modules lie."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "modules")
