"""Gives the classes of `kvmtest` their historical methods, and their methods historical arguments.

What a method of `kvmtest` takes, it still takes afterwards, with one exception that
`_session.read_nonblocking` tells.
"""

from __future__ import annotations

from types import ModuleType

import kvmtest

from . import _env, _human, _left_out, _monitor, _session, _vm

_attached = False


def attach() -> None:
    """Done once for the process; each of the historical modules calls it."""
    global _attached
    if _attached:
        return
    _attached = True
    _add(kvmtest.Env, _env)
    _add(kvmtest.VM, _vm)
    _add(kvmtest.ShellSession, _session)
    _add(kvmtest.QMPMonitor, _monitor)
    _add(kvmtest.HumanMonitor, _human)


def _add(target: type, methods: ModuleType) -> None:
    for name in methods.__all__:
        setattr(target, name, getattr(methods, name))
    for alias, name in getattr(methods, "ALIASES", {}).items():
        setattr(target, alias, getattr(target, name))
    for name in _left_out.METHODS.get(target.__name__, {}):
        setattr(target, name, _left_out.method(target.__name__, name))
