"""Historical names: machines. They are had from the env: `env.get_vm(name)`."""

from __future__ import annotations

from typing import Any

from kvmtest import (
    VM,
    GuestPanickedError,
    ImageError,
    MigrateCancelledError,
    MigrateError,
    MigrateFailedError,
    MigrateTimeoutError,
    VMAddressError,
    VMCreateError,
    VMDeadError,
    VMError,
)
from kvmtest.historical import _attach, _left_out

__all__ = [
    "VM",
    "VMAddressError",
    "VMAddressVerificationError",
    "VMCreateError",
    "VMDeadError",
    "VMDeadKernelCrashError",
    "VMError",
    "VMHashMismatchError",
    "VMHugePageError",
    "VMIPAddressMissingError",
    "VMImageCheckError",
    "VMImageMissingError",
    "VMKVMInitError",
    "VMMACAddressMissingError",
    "VMMigrateCancelError",
    "VMMigrateError",
    "VMMigrateFailedError",
    "VMMigrateTimeoutError",
    "VMPortNotRedirectedError",
    "VMPostCreateError",
    "VMRebootError",
]

# The library tells fewer kinds apart.
VMImageMissingError = VMImageCheckError = VMHashMismatchError = ImageError
VMPostCreateError = VMHugePageError = VMKVMInitError = VMCreateError
VMDeadKernelCrashError = GuestPanickedError
VMPortNotRedirectedError = VMAddressVerificationError = VMAddressError
VMMACAddressMissingError = VMIPAddressMissingError = VMAddressError
VMRebootError = VMError
VMMigrateError = MigrateError
VMMigrateTimeoutError = MigrateTimeoutError
VMMigrateCancelError = MigrateCancelledError
VMMigrateFailedError = MigrateFailedError

_attach.attach()


def __getattr__(name: str) -> Any:
    return _left_out.refuse("kvm_vm", name)
