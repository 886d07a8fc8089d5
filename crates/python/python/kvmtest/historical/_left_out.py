"""What has no counterpart, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from kvmtest import TestError

_TRANSFER = (
    "files are not copied to or from guests yet: print them in a session "
    "(`session.cmd('base64 FILE')`), or put them on an image"
)
_PREPARED = "the runner does it before and after the subtest, as the params say"
_RUNNER = "`kvmtest run` does it"
_POOL = "there is no pool of addresses: give `nic_mac`, or read `vm.get_mac_address(nic_index)`"
_BUILD = "this system builds neither QEMU nor kernels: give `qemu_binary`, `kernel`"
_ASSIGNMENT = "devices of the host are not prepared: give them in `extra_params`"
_KOJI = "packages come from no build system: install them on the host before the run"
_SOCKETS = "the sockets of a machine have no fixed names: use `vm.monitor`, `vm.serial_login()`"
_AUTOTEST = "Autotest itself does not run in guests: run the workload by `session.cmd`"
_ATTACH = "a process belongs to the subtest that started it: nobody else can take hold of it"
_LOG = "the runner has its own log: `test.log`, or `logging`"

LEFT_OUT: dict[str, dict[str, str]] = {
    "kvm_utils": {
        "_lock_file": "use `fcntl.flock`",
        "_unlock_file": "use `fcntl.flock`",
        "_remote_login": "use `remote_login`",
        "_remote_scp": _TRANSFER,
        "remote_scp": _TRANSFER,
        "scp_to_remote": _TRANSFER,
        "scp_from_remote": _TRANSFER,
        "scp_between_remotes": _TRANSFER,
        "copy_files_to": _TRANSFER,
        "copy_files_from": _TRANSFER,
        "generate_mac_address": _POOL,
        "free_mac_address": _POOL,
        "set_mac_address": "give `nic_mac` before the machine is created",
        "get_mac_ip_pair_from_dict": _POOL,
        "get_sub_pool": _POOL,
        "verify_ip_address_ownership": "an address is known from QEMU or from `ip_NIC`",
        "get_latest_kvm_release_tag": _BUILD,
        "get_git_branch": _BUILD,
        "check_kvm_source_dir": _BUILD,
        "install_host_kernel": _BUILD,
        "run_tests": _RUNNER,
        "create_report": "`kvmtest report` makes it",
        "KvmLoggingConfig": _LOG,
        "PciAssignable": _ASSIGNMENT,
        "KojiClient": _KOJI,
        "KojiPkgSpec": _KOJI,
        "set_default_koji_tag": _KOJI,
        "get_default_koji_tag": _KOJI,
    },
    "kvm_test_utils": {
        "run_autotest": _AUTOTEST,
    },
    "kvm_subprocess": {},
    "kvm_monitor": {
        "Monitor": "a monitor is had from its machine: `vm.monitor`, `vm.get_monitor(name)`",
    },
    "kvm_vm": {
        "get_image_filename": "ask the machine: `vm.monitor.cmd('query-block')`",
        "create_image": _PREPARED + ": `create_image = yes`",
        "remove_image": _PREPARED + ": `remove_image = yes`",
        "check_image": _PREPARED + ": `check_image = yes`",
        "VMMigrateStateMismatchError": "states are not compared: look at what the guest says",
        "VMMigrateProtoUnsupportedError": "an unknown protocol is a `ValueError`",
        "VMBadPATypeError": _ASSIGNMENT,
        "VMPAError": _ASSIGNMENT,
    },
    "error": {
        "BarrierError": "a run has one host: there are no barriers",
        "InstallError": "nothing is installed on the host",
        "PackageError": "nothing is installed on the host",
        "HarnessError": "the harness is the runner",
    },
    "utils": {
        "BgJob": "use `kvm_subprocess.run_bg`",
        "AsyncJob": "use `kvm_subprocess.run_bg`",
        "join_bg_jobs": "use `kvm_subprocess.run_bg` and `get_status()`",
        "run_parallel": "use `kvm_utils.parallel`",
    },
}
"""For each module the names that raise, and the reasons."""

METHODS: dict[str, dict[str, str]] = {
    "VM": {
        "copy_files_to": _TRANSFER,
        "copy_files_from": _TRANSFER,
        "free_mac_address": _POOL,
        "get_ifname": "QEMU chooses the name of a tap device: give `nic_ifname`",
        "get_peer": "`info network` says nothing of peers any more: see `info qtree`",
        "get_monitor_filename": _SOCKETS,
        "get_monitor_filenames": _SOCKETS,
        "get_serial_console_filename": _SOCKETS,
        "get_testlog_filename": "there is no such log: see `vm.console_tail()`",
        "get_shell_pid": "QEMU runs under no shell: `vm.get_pid()`",
    },
    "ShellSession": {
        "get_id": _ATTACH,
        "get_pid": "only `kvm_subprocess.run_bg` and `Tail` tell the process",
        "get_output": "what was read is returned by the reading methods; all of it is in the log",
        "set_output_func": "only `Tail` calls a function for each line: give `print_func`",
        "set_output_params": "only `Tail` calls a function for each line: give `print_func`",
        "set_output_prefix": "only `Tail` calls a function for each line: give `print_func`",
        "set_termination_func": "only `Tail` calls a function at the end",
        "set_termination_params": "only `Tail` calls a function at the end",
    },
    "Env": {
        "save": "there is nothing to save: every change is in the file when it is made",
        "register_installer": _BUILD,
        "previous_installer": _BUILD,
    },
}
"""For each class the methods that raise, and the reasons."""


class LeftOutError(TestError, NotImplementedError):
    """A historical name, method or argument that has no counterpart. It ends a subtest as
    `TestError` does: nothing was tested."""


def refuse(module: str, name: str) -> NoReturn:
    """What a module's `__getattr__` does: says what became of `name`."""
    reason = LEFT_OUT[module].get(name)
    if reason is not None:
        raise LeftOutError(f"`{module}.{name}` is left out: {reason}")
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def method(kind: str, name: str) -> Callable[..., Any]:
    """A method that says what became of it."""

    def left_out(self: object, *args: object, **kwargs: object) -> NoReturn:
        raise LeftOutError(f"`{kind}.{name}` is left out: {METHODS[kind][name]}")

    left_out.__name__ = name
    left_out.__doc__ = f"Left out: {METHODS[kind][name]}."
    return left_out
