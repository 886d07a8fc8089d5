"""Historical names: monitors. They are had from their machine: `vm.monitor`."""

from __future__ import annotations

from typing import Any

from kvmtest import (
    HumanMonitor,
    MonitorCommandError,
    MonitorError,
    MonitorTimeoutError,
    QMPMonitor,
)
from kvmtest.historical import _attach, _left_out

__all__ = [
    "HumanMonitor",
    "MonitorConnectError",
    "MonitorError",
    "MonitorLockError",
    "MonitorNotSupportedError",
    "MonitorProtocolError",
    "MonitorSocketError",
    "QMPCmdError",
    "QMPMonitor",
]

QMPCmdError = MonitorCommandError
MonitorConnectError = MonitorError
MonitorSocketError = MonitorError
MonitorProtocolError = MonitorError
MonitorNotSupportedError = MonitorError
MonitorLockError = MonitorTimeoutError

_attach.attach()


def __getattr__(name: str) -> Any:
    return _left_out.refuse("kvm_monitor", name)
