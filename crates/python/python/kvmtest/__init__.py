"""Test virtual machines: QEMU, its monitors, consoles and sessions.

A machine of one's own, from Python alone::

    import kvmtest

    with kvmtest.VM.boot("small") as vm:
        session = vm.wait_for_login()
        print(session.cmd("uname -r"))
        print(vm.send_monitor_cmd("info status"))

When the block is left, the machine and all that it had are gone, and so they are when this
process ends in any other way, `kill -9` included.

In a subtest, which `kvmtest run` calls as `run_NAME(test, params, env)`, these are a `Test`, its
`Params` and an `Env`.

All times are seconds. Where a `timeout` can be left out, the library has a default. A wait
releases the interpreter's lock, and Ctrl-C ends it at once. Text from a guest is UTF-8; bytes that
are none are kept as `surrogateescape` keeps them. Every exception is an `Error`.
"""

from __future__ import annotations

from collections.abc import MutableMapping as _MutableMapping
from typing import Union as _Union

from ._kvmtest import (
    VM,
    Doing,
    Env,
    Event,
    Figures,
    Forked,
    HumanMonitor,
    Origin,
    Params,
    QMPMonitor,
    ShellSession,
    StateOrigin,
    __version__,
    clear_interrupt,
    default_params,
    die_with_parent,
    doing,
    interrupt,
    is_interrupted,
    listen_doing,
    listen_perturbed,
    log,
    set_stall_factor,
    start_log,
)
from ._program import program
from .errors import (
    ConfigError,
    EnvError,
    Error,
    ExpectError,
    ExpectProcessTerminatedError,
    ExpectTimeoutError,
    GuestError,
    GuestFaultError,
    GuestNotBootedError,
    GuestPanickedError,
    HostError,
    HostIOError,
    ImageError,
    Interrupted,
    LoginAuthenticationError,
    LoginError,
    LoginProcessTerminatedError,
    LoginTimeoutError,
    MigrateBlockedError,
    MigrateCancelledError,
    MigrateError,
    MigrateFailedError,
    MigrateTimeoutError,
    MonitorCommandError,
    MonitorError,
    MonitorTimeoutError,
    ParamError,
    ParamMissingError,
    ScreenError,
    SessionError,
    ShellCmdError,
    ShellError,
    ShellProcessTerminatedError,
    ShellStatusError,
    ShellTimeoutError,
    StateError,
    StateGoneError,
    TestCancel,
    TestError,
    TestFail,
    TestNAError,
    TestSkip,
    TestWarn,
    TransferError,
    Verdict,
    VMAddressError,
    VMCreateError,
    VMDeadError,
    VMError,
    VMMissingError,
)
from .test import Test

Monitor = _Union[QMPMonitor, HumanMonitor]

_MutableMapping.register(Params)

__all__ = [
    "__version__",
    # What a subtest is given, and what it finds there.
    "Test",
    "Params",
    "Origin",
    "default_params",
    "Env",
    "VM",
    "ShellSession",
    "QMPMonitor",
    "HumanMonitor",
    "Monitor",
    "Event",
    "Figures",
    "Forked",
    "StateOrigin",
    # This process.
    "program",
    "interrupt",
    "clear_interrupt",
    "is_interrupted",
    "doing",
    "Doing",
    "listen_doing",
    "listen_perturbed",
    "start_log",
    "log",
    "set_stall_factor",
    "die_with_parent",
    # What goes wrong.
    "Error",
    "Verdict",
    "TestFail",
    "TestError",
    "TestSkip",
    "TestNAError",
    "TestWarn",
    "TestCancel",
    "Interrupted",
    "ParamError",
    "ParamMissingError",
    "ConfigError",
    "EnvError",
    "HostError",
    "GuestError",
    "VMError",
    "VMCreateError",
    "VMDeadError",
    "VMMissingError",
    "VMAddressError",
    "GuestPanickedError",
    "GuestFaultError",
    "GuestNotBootedError",
    "ImageError",
    "StateError",
    "StateGoneError",
    "MigrateError",
    "MigrateBlockedError",
    "MigrateFailedError",
    "MigrateTimeoutError",
    "MigrateCancelledError",
    "ScreenError",
    "MonitorError",
    "MonitorTimeoutError",
    "MonitorCommandError",
    "SessionError",
    "ExpectError",
    "ExpectTimeoutError",
    "ExpectProcessTerminatedError",
    "ShellError",
    "ShellTimeoutError",
    "ShellProcessTerminatedError",
    "ShellCmdError",
    "ShellStatusError",
    "LoginError",
    "LoginAuthenticationError",
    "LoginTimeoutError",
    "LoginProcessTerminatedError",
    "TransferError",
    "HostIOError",
]
