"""MAC and IP addresses as numbers."""

from __future__ import annotations

import ipaddress

__all__ = [
    "ip_int_to_str",
    "ip_str_to_int",
    "mac_int_to_str",
    "mac_str_to_int",
    "offset_ip",
    "offset_mac",
]


def mac_str_to_int(addr: str) -> int:
    """A MAC address as a number."""
    parts = addr.split(":")
    if len(parts) != 6:
        raise ValueError(f"no MAC address: {addr!r}")
    return int.from_bytes(bytes(int(part, 16) for part in parts), "big")


def mac_int_to_str(addr: int) -> str:
    """A number as a MAC address."""
    return ":".join(f"{byte:02x}" for byte in addr.to_bytes(6, "big"))


def ip_str_to_int(addr: str) -> int:
    """An IPv4 address as a number."""
    return int(ipaddress.IPv4Address(addr))


def ip_int_to_str(addr: int) -> str:
    """A number as an IPv4 address."""
    return str(ipaddress.IPv4Address(addr))


def offset_mac(base: str, offset: int) -> str:
    """The MAC address that is `offset` further."""
    return mac_int_to_str(mac_str_to_int(base) + offset)


def offset_ip(base: str, offset: int) -> str:
    """The IPv4 address that is `offset` further."""
    return ip_int_to_str(ip_str_to_int(base) + offset)
