"""A guest's operating system: its clock, services and network interfaces."""

from __future__ import annotations

import re
import time
from typing import Optional

from kvmtest import ShellSession, TestError

from . import _addresses
from ._wait import wait_for

__all__ = ["get_linux_ifname", "get_time", "start_windows_service", "stop_windows_service"]

# What Windows says by number.
_NOT_INSTALLED = 1060
_NOT_STARTED = 1062
_ALREADY_RUNNING = 1056


def get_time(
    session: ShellSession, time_command: str, time_filter_re: str, time_format: str
) -> tuple[float, float]:
    """The time of the host and that of the guest, in seconds since 1970.

    `time_filter_re` takes the guest's out of what `time_command` prints (a second group is the
    fraction), and `time_format` is how `time.strptime` reads it. A command that asks a server
    (`ntpdate`, `w32tm`) prints how far off it is: there the host's time is what the server has.
    """
    begun = time.time()
    output = session.cmd_output(time_command)
    host = (begun + time.time()) / 2
    found = re.search(time_filter_re, output)
    if found is None:
        raise TestError(f"no time in what `{time_command}` prints: {output[-500:]!r}")
    text, fraction = (found.groups() + ("", ""))[:2] if found.groups() else (found.group(), "")
    try:
        guest = time.mktime(time.strptime(text, time_format))
        guest += float(f"0.{fraction}") if fraction else 0.0
    except ValueError as error:
        raise TestError(f"no time in what `{time_command}` prints: {error}") from error
    if re.search("ntpdate|w32tm", time_command):
        offset = re.search(r"(?:\boffset |\bo:)\s*([-+]?[\d.]+)\s*s", output)
        if offset is None:
            raise TestError(f"no offset in what `{time_command}` prints: {output[-500:]!r}")
        host = guest + float(offset.group(1))
    return host, guest


def stop_windows_service(session: ShellSession, service: str, timeout: float = 120) -> None:
    """Stops a service; one that is not running is fine."""
    _until(session, "stop", service, timeout, _NOT_STARTED)


def start_windows_service(session: ShellSession, service: str, timeout: float = 120) -> None:
    """Starts a service; one that is running is fine."""
    _until(session, "start", service, timeout, _ALREADY_RUNNING)


def get_linux_ifname(session: ShellSession, mac_address: str) -> str:
    """The name of the guest's network interface that has a MAC address."""
    mac = _addresses.mac_int_to_str(_addresses.mac_str_to_int(mac_address))
    output = session.cmd_output(f"grep -il {mac} /sys/class/net/*/address")
    found = re.search(r"^/sys/class/net/([^/\s]+)/address$", output, re.MULTILINE)
    if found is None:
        raise TestError(f"no network interface of the guest has the address {mac}")
    return found.group(1)


def _until(
    session: ShellSession, what: str, service: str, timeout: float, good: int
) -> None:
    """Says it until Windows answers that it is so already."""
    name = service if re.fullmatch(r"[\w.$-]+", service) else f'"{service}"'
    if '"' in service:
        raise ValueError(f"no name of a service: {service!r}")

    def step() -> Optional[bool]:
        output = session.cmd_output(f"sc {what} {name}", 60)
        if re.search(rf"\b{_NOT_INSTALLED}\b", output):
            raise TestError(f"no such service in the guest: `{service}`")
        return re.search(rf"\b{good}\b", output) is not None or None

    if wait_for(step, timeout, 0, 1) is None:
        raise TestError(f"could not {what} the service `{service}` within {timeout:g} s")
