"""Historical names: the high level. What does not work raises."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Literal, Optional

from kvmtest import VM, Env, ParamMissingError, ShellSession
from kvmtest.historical import _attach, _left_out, _vm
from kvmtest.historical._ping import get_loss_ratio, ping, raw_ping
from kvmtest.historical._system import (
    get_linux_ifname,
    get_time,
    start_windows_service,
    stop_windows_service,
)

__all__ = [
    "cont",
    "get_linux_ifname",
    "get_living_vm",
    "get_loss_ratio",
    "get_memory_info",
    "get_time",
    "migrate",
    "ping",
    "raw_ping",
    "reboot",
    "start_windows_service",
    "stop",
    "stop_windows_service",
    "wait_for_login",
]

_attach.attach()


def get_living_vm(env: Env, vm_name: Optional[str]) -> VM:
    """The machine of that name; it is started if it does not live."""
    if vm_name is None:
        raise ParamMissingError("which machine is meant? The params name none (`main_vm`)")
    return env.get_living_vm(vm_name)


def wait_for_login(
    vm: VM,
    nic_index: int = 0,
    timeout: float = 240,
    start: float = 0,
    step: float = 2,
    serial: object = None,
) -> ShellSession:
    """Logs in as soon as the guest lets somebody in, within `timeout`; `serial`: on its console.

    The first attempt is made after `start` seconds. When the next one is made is known from the
    guest, not from `step`.
    """
    time.sleep(start)
    if serial:
        return vm.wait_for_serial_login(timeout)
    return _vm.wait_for_login(vm, timeout, nic_index=nic_index)


def reboot(
    vm: VM,
    session: ShellSession,
    method: Literal["shell", "system_reset"] = "shell",
    sleep_before_reset: float = 10,
    nic_index: int = 0,
    timeout: float = 240,
) -> ShellSession:
    """Reboots, and gives the session after it. `sleep_before_reset` is for `system_reset`."""
    if method == "system_reset":
        time.sleep(sleep_before_reset)
    return _vm.reboot(vm, session, method, timeout, nic_index=nic_index)


def migrate(
    vm: VM,
    env: Optional[Env] = None,
    mig_timeout: float = 3600,
    mig_protocol: str = "tcp",
    mig_cancel: bool = False,
    offline: bool = False,
    stable_check: bool = False,
    clean: bool = False,
    save_path: Optional[str] = None,
    dest_host: str = "localhost",
    mig_port: Optional[int] = None,
) -> VM:
    """Moves the machine to another QEMU on this host, and gives it back: it is the same object, and
    the env knows it without being told. With `mig_cancel` that is cancelled after two seconds."""
    _vm.migrate(
        vm,
        mig_timeout,
        mig_protocol,
        2.0 if mig_cancel else None,
        offline,
        stable_check,
        clean,
        save_path,
        dest_host,
        mig_port,
    )
    return vm


def stop(vm: VM) -> None:
    """Stops the machine's processors."""
    vm.pause()


def cont(vm: VM) -> None:
    """Lets them go on."""
    vm.resume()


def get_memory_info(lvms: Iterable[VM]) -> str:
    """How much memory and swap of the host are free, and how much each machine shares, in MiB."""
    free: dict[str, int] = {}
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            name, _, value = line.partition(":")
            free[name] = int(value.split()[0]) // 1024
    told = [f"MemFree = {free['MemFree']} M", f"SwapFree = {free['SwapFree']} M"]
    told += [f"{vm.name} shared = {_vm.get_shared_meminfo(vm):.0f} M" for vm in lvms]
    return "; ".join(told)


def __getattr__(name: str) -> Any:
    return _left_out.refuse("kvm_test_utils", name)
