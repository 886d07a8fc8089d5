"""The historical methods of a `VM`."""

from __future__ import annotations

import re
import resource
from collections.abc import Mapping
from typing import Any, Literal, Optional, Union, cast

import kvmtest
from kvmtest import VM, Figures, MigrateCancelledError, MonitorError, ShellSession

from ._left_out import LeftOutError

__all__ = [
    "clone",
    "create",
    "destroy",
    "get_address",
    "get_cpu_count",
    "get_current_memory_size",
    "get_mac_address",
    "get_memory_size",
    "get_name",
    "get_params",
    "get_port",
    "get_shared_meminfo",
    "kill_tail_thread",
    "login",
    "make_qemu_command",
    "migrate",
    "reboot",
    "remote_login",
    "send_monitor_cmd",
    "send_key",
    "send_string",
    "serial_login",
    "verify_kernel_crash",
    "wait_for_login",
    "wait_for_serial_login",
]

_clone = VM.clone
_create = VM.create
_destroy = VM.destroy
_get_address = VM.get_address
_get_port = VM.get_port
_login = VM.login
_migrate = VM.migrate
_reboot = VM.reboot
_send_key = VM.send_key
_send_monitor_cmd = VM.send_monitor_cmd
_serial_login = VM.serial_login
_wait_for_login = VM.wait_for_login
_wait_for_serial_login = VM.wait_for_serial_login

_ParamsLike = Mapping[str, object]
_Protocol = Literal["tcp", "unix", "exec", "fd", "file"]

# What older configurations called keys, as QEMU calls them.
_QCODES = {",": "comma", ".": "dot", "/": "slash"}


def get_name(self: VM) -> str:
    """Its name."""
    return self.name


def get_params(self: VM) -> kvmtest.Params:
    """Its params."""
    return self.params


def clone(
    self: VM,
    name: Optional[str] = None,
    params: Optional[_ParamsLike] = None,
    root_dir: Optional[str] = None,
    address_cache: object = None,
) -> VM:
    """A second definition, not started. Where images lie is told by the params alone."""
    return _clone(self, self.name if name is None else name, params)


def create(
    self: VM,
    name: Optional[str] = None,
    params: Optional[_ParamsLike] = None,
    root_dir: Optional[str] = None,
    timeout: Optional[float] = None,
) -> None:
    """Starts it, with other params if they are given. How long that takes is not limited anew."""
    if name is not None and name != self.name:
        raise LeftOutError(
            f"the VM `{self.name}` is not renamed to `{name}`: use `vm.clone({name!r}).create()`"
        )
    if params is not None:
        self.params = params
    _create(self)


def destroy(self: VM, gracefully: bool = True, free_mac_addresses: bool = True) -> None:
    """Ends it. There is no pool of addresses to give any back to."""
    _destroy(self, gracefully)


def get_address(self: VM, nic: int = 0, *, index: Optional[int] = None) -> str:
    """The address at which its network interface number `nic` (`index`) answers."""
    return _get_address(self, nic if index is None else index)


def get_port(self: VM, port: int, nic: int = 0, *, nic_index: Optional[int] = None) -> int:
    """The host's port that leads to the guest's TCP port `port`."""
    return _get_port(self, port, nic if nic_index is None else nic_index)


def get_mac_address(self: VM, nic_index: int = 0) -> str:
    """The MAC address of its network interface number `nic_index`, as QEMU says it."""
    nics = self.params.objects("nics")
    if nic_index >= len(nics):
        raise kvmtest.VMAddressError(
            f"the VM `{self.name}` has {len(nics)} network interfaces, "
            f"none of the index {nic_index}"
        )
    line = rf"^\W*nic-{re.escape(nics[nic_index])}:.*\bmacaddr=([0-9A-Fa-f:]{{17}})"
    found = re.search(line, _send_monitor_cmd(self, "info network"), re.MULTILINE)
    if found is None:
        raise kvmtest.VMAddressError(
            f"QEMU says nothing of the network interface `{nics[nic_index]}` of `{self.name}`"
        )
    return found.group(1).lower()


def login(self: VM, timeout: Optional[float] = None, *, nic_index: int = 0) -> ShellSession:
    """One attempt to log in, over the network interface number `nic_index`."""
    if nic_index:
        return _over_nic(self, nic_index, 10.0 if timeout is None else timeout)
    return _login(self, timeout)


def remote_login(self: VM, nic_index: int = 0, timeout: float = 10.0) -> ShellSession:
    """One attempt to log in: `login`, with the arguments the other way round."""
    return login(self, timeout, nic_index=nic_index)


def wait_for_login(
    self: VM,
    timeout: Optional[float] = None,
    *,
    nic_index: int = 0,
    internal_timeout: Optional[float] = None,
) -> ShellSession:
    """Logs in as soon as the guest lets somebody in. A single attempt has no limit of its own."""
    if nic_index:
        return _over_nic(self, nic_index, 240.0 if timeout is None else timeout)
    return _wait_for_login(self, timeout)


def serial_login(self: VM, timeout: Optional[float] = None) -> ShellSession:
    """One attempt to log in on the serial console."""
    return _serial_login(self, timeout)


def wait_for_serial_login(
    self: VM, timeout: Optional[float] = None, internal_timeout: Optional[float] = None
) -> ShellSession:
    """Logs in on the serial console as soon as the guest is ready for it."""
    return _wait_for_serial_login(self, timeout)


def reboot(
    self: VM,
    session: Optional[ShellSession] = None,
    method: Literal["shell", "system_reset"] = "shell",
    timeout: Optional[float] = None,
    *,
    nic_index: int = 0,
) -> ShellSession:
    """Reboots, and gives the session after it; without a session, one is made to reboot in."""
    _only_first(nic_index, "reboot")
    return _reboot(self, self.login() if session is None else session, method, timeout)


def migrate(
    self: VM,
    timeout: Union[float, str, None] = None,
    protocol: str = "tcp",
    cancel_delay: Optional[float] = None,
    offline: Optional[bool] = None,
    stable_check: bool = False,
    clean: bool = True,
    save_path: Optional[str] = "/tmp",
    dest_host: str = "localhost",
    remote_port: Optional[int] = None,
    **more: Any,
) -> Optional[Figures]:
    """Moves it to another QEMU on this host. After `cancel_delay` seconds that is cancelled, which
    is no error: the machine goes on where it was.

    Instead of the time, the protocol may come first, and what `VM.migrate` takes may follow. Files
    are written nowhere, so that `clean` and `save_path` mean nothing.
    """
    if isinstance(timeout, str):
        protocol = timeout
        timeout = None
    if stable_check:
        raise LeftOutError("`stable_check` is left out: states are not compared")
    if dest_host not in ("localhost", "127.0.0.1"):
        raise LeftOutError(f"a machine moves within its host, not to `{dest_host}`")
    if cancel_delay is not None:
        more["cancel_after"] = cancel_delay
    try:
        # What nobody wants stopped may be stopped where that is safer.
        return _migrate(
            self,
            cast(_Protocol, protocol),
            offline=offline or None,
            timeout=timeout,
            **more,
        )
    except MigrateCancelledError:
        if cancel_delay is None:
            raise
        return None


def send_monitor_cmd(
    self: VM,
    command_line: str,
    block: bool = True,
    timeout: Optional[float] = None,
    verbose: bool = True,
) -> str:
    """What the human monitor answers to `command_line`; a failure raises.

    `block=False` is for commands after which there may be no monitor, as `quit`.
    """
    try:
        return _send_monitor_cmd(self, command_line)
    except MonitorError:
        if block:
            raise
        return ""


def send_key(self: VM, keystr: str) -> None:
    """Presses keys together: `ctrl-alt-delete`. Comma, dot and slash may stand for themselves."""
    _send_key(self, "-".join(_QCODES.get(key, key) for key in keystr.split("-")))


def send_string(self: VM, text: str) -> None:
    """Types letters, digits, spaces, line ends and simple marks, one after the other."""
    for character in text:
        self.send_key(_key(character))


def get_cpu_count(self: VM) -> int:
    """How many processors the guest sees, by the command in `cpu_chk_cmd`."""
    with self.login() as session:
        return int(session.cmd(self.params["cpu_chk_cmd"]))


def get_memory_size(self: VM, cmd: Optional[str] = None) -> int:
    """The MiB of memory that the guest sees, by `cmd` or the command in `mem_chk_cmd`.

    All numbers of its output are added up; they are KiB unless a unit says otherwise.
    """
    with self.login() as session:
        return _mebibytes(session.cmd(cmd or self.params["mem_chk_cmd"]))


def get_current_memory_size(self: VM) -> int:
    """The MiB of memory that the guest can use now, by the command in `mem_chk_cur_cmd`."""
    return get_memory_size(self, self.params["mem_chk_cur_cmd"])


def get_shared_meminfo(self: VM) -> float:
    """The MiB of QEMU's memory that are shared."""
    with open(f"/proc/{self.get_pid()}/statm", encoding="ascii") as file:
        pages = int(file.read().split()[2])
    return pages * resource.getpagesize() / 2**20


def make_qemu_command(
    self: VM,
    name: Optional[str] = None,
    params: Optional[_ParamsLike] = None,
    root_dir: Optional[str] = None,
) -> str:
    """QEMU's command line for it, as a shell would take it."""
    if name is None and params is None:
        return self.qemu_command()
    return _clone(self, name or self.name, params).qemu_command()


def verify_kernel_crash(self: VM) -> None:
    """Raises if the machine does not live, or its guest's kernel has panicked."""
    self.verify_alive()


def kill_tail_thread(self: VM) -> None:
    """Does nothing: no thread reads what QEMU says."""


def _over_nic(vm: VM, nic: int, timeout: float) -> ShellSession:
    port = _get_port(vm, vm.params.get_int("shell_port", 22), nic)
    params = vm.params
    # A serial console has no network interface.
    ways = [way for way in params.get("shell_client", "ssh").split() if way != "serial"]
    params["shell_client"] = ways[0] if ways else "ssh"
    return ShellSession.remote_login(_get_address(vm, nic), port, params, timeout)


def _only_first(nic_index: int, what: str) -> None:
    if nic_index:
        raise LeftOutError(f"`{what}` goes over the first network interface only")


def _key(character: str) -> str:
    names = {" ": "spc", "\n": "ret", "\t": "tab", "-": "minus", "=": "equal"}
    name = names.get(character) or _QCODES.get(character)
    if name is not None:
        return name
    if not (character.isascii() and character.isalnum()):
        raise ValueError(f"no key is known for {character!r}: use `send_key`")
    return f"shift-{character.lower()}" if character.isupper() else character


def _mebibytes(text: str) -> int:
    total = 0.0
    for number, unit in re.findall(r"(\d+(?:\.\d+)?)\s*([KMG]i?B?)?", text, re.IGNORECASE):
        factor = {"m": 1.0, "g": 1024.0}.get(unit[:1].lower(), 1 / 1024)
        total += float(number) * factor
    return int(total)
