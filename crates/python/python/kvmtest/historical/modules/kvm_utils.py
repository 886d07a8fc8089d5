"""Historical names: what is below the high level of `kvm_test_utils`."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, Optional, Union

from kvmtest import (
    VM,
    Env,
    LoginAuthenticationError,
    LoginError,
    LoginProcessTerminatedError,
    LoginTimeoutError,
    Params,
    TransferError,
)
from kvmtest.historical import _attach, _left_out
from kvmtest.historical._addresses import (
    ip_int_to_str,
    ip_str_to_int,
    mac_int_to_str,
    mac_str_to_int,
    offset_ip,
    offset_mac,
)
from kvmtest.historical._env import register_vm
from kvmtest.historical._host import (
    find_command,
    find_free_port,
    find_free_ports,
    format_str_for_message,
    generate_random_id,
    generate_random_string,
    generate_tmp_file_name,
    get_full_pci_id,
    get_hash_from_file,
    get_path,
    get_vendor_from_pci_id,
    is_port_free,
    kill_process_tree,
    log_line,
    mount,
    pid_exists,
    safe_kill,
    set_log_file_dir,
    umount,
)
from kvmtest.historical._login import netcat, remote_login, ssh, telnet, wait_for_login
from kvmtest.historical._threads import Thread, parallel
from kvmtest.historical._vm import get_mac_address
from kvmtest.historical._wait import wait_for

__all__ = [
    "Env",
    "LoginAuthenticationError",
    "LoginBadClientError",
    "LoginError",
    "LoginProcessTerminatedError",
    "LoginTimeoutError",
    "Params",
    "SCPAuthenticationError",
    "SCPAuthenticationTimeoutError",
    "SCPError",
    "SCPTransferFailedError",
    "SCPTransferTimeoutError",
    "Thread",
    "display_attributes",
    "dump_env",
    "env_get_all_vms",
    "env_get_vm",
    "env_register_vm",
    "env_unregister_vm",
    "find_command",
    "find_free_port",
    "find_free_ports",
    "format_str_for_message",
    "generate_random_id",
    "generate_random_string",
    "generate_tmp_file_name",
    "get_full_pci_id",
    "get_hash_from_file",
    "get_mac_address",
    "get_path",
    "get_sub_dict",
    "get_sub_dict_names",
    "get_vendor_from_pci_id",
    "ip_int_to_str",
    "ip_str_to_int",
    "is_port_free",
    "is_vm",
    "kill_process_tree",
    "load_env",
    "log_line",
    "mac_int_to_str",
    "mac_str_to_int",
    "mount",
    "netcat",
    "offset_ip",
    "offset_mac",
    "parallel",
    "pid_exists",
    "remote_login",
    "safe_kill",
    "set_log_file_dir",
    "ssh",
    "telnet",
    "umount",
    "wait_for",
    "wait_for_login",
]

# The library tells fewer kinds apart.
LoginBadClientError = LoginError
SCPError = SCPAuthenticationError = SCPAuthenticationTimeoutError = TransferError
SCPTransferFailedError = SCPTransferTimeoutError = TransferError

_attach.attach()


def is_vm(obj: object) -> bool:
    """Whether it is a machine."""
    return isinstance(obj, VM)


def load_env(filename: Union[str, "os.PathLike[str]"], default: object = None) -> Env:
    """Opens an env file; one that does not exist is made."""
    return Env.open(filename)


def dump_env(obj: Env, filename: object = None) -> None:
    """Does nothing: every change is in the file when it is made."""
    if not isinstance(obj, Env):
        raise TypeError(f"an `Env` is needed, not {type(obj).__name__}")


def get_sub_dict(dict: Union[Params, Mapping[str, str]], name: str) -> Params:
    """The params as the object `name` sees them: `params.object_params(name)`."""
    return _params(dict).object_params(name)


def get_sub_dict_names(dict: Union[Params, Mapping[str, str]], keyword: str) -> list[str]:
    """The names in a list: `params.objects(keyword)`."""
    return _params(dict).objects(keyword)


def env_get_all_vms(env: Env) -> list[VM]:
    """All machines of the env."""
    return env.get_all_vms()


def env_get_vm(env: Env, name: str) -> Optional[VM]:
    """The machine of that name, or `None`."""
    return env.get_vm(name)


def env_register_vm(env: Env, name: str, vm: VM) -> None:
    """Writes a machine into the env file. The name must be its own."""
    register_vm(env, name, vm)


def env_unregister_vm(env: Env, name: str) -> None:
    """Forgets a machine. It lives on."""
    env.unregister_vm(name)


def display_attributes(instance: object) -> None:
    """Writes an object's attributes to the log."""
    for name, value in sorted(vars(instance).items()):
        logging.debug("    %s: %s", name, value)


def _params(entries: Union[Params, Mapping[str, str]]) -> Params:
    return entries if isinstance(entries, Params) else Params(entries)


def __getattr__(name: str) -> Any:
    return _left_out.refuse("kvm_utils", name)
