"""The host: its processes, ports, devices, mounts and files."""

from __future__ import annotations

import logging
import os
import random
import shutil
import signal
import socket
import string
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Optional

__all__ = [
    "find_command",
    "find_free_port",
    "find_free_ports",
    "format_str_for_message",
    "generate_random_id",
    "generate_random_string",
    "generate_tmp_file_name",
    "get_full_pci_id",
    "get_hash_from_file",
    "get_path",
    "get_vendor_from_pci_id",
    "is_port_free",
    "kill_process_tree",
    "log_line",
    "mount",
    "pid_exists",
    "safe_kill",
    "set_log_file_dir",
    "umount",
]

_BINARIES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_log_file_dir = ""


def find_command(cmd: str) -> str:
    """The path of a program, from where programs usually are; `ValueError` if it is not there."""
    path = shutil.which(cmd, path=_BINARIES)
    if path is None:
        raise ValueError(f"no such program: `{cmd}`")
    return path


def pid_exists(pid: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def safe_kill(pid: int, sig: int) -> bool:
    """Sends a signal: whether that was possible."""
    try:
        os.kill(pid, sig)
    except OSError:
        return False
    return True


def kill_process_tree(pid: int, sig: int = signal.SIGKILL) -> None:
    """Sends a signal to a process and all that descend from it.

    Each is stopped while its children are looked for, so that none slips away.
    """
    if not safe_kill(pid, signal.SIGSTOP):
        return
    for child in _children(pid):
        kill_process_tree(child, sig)
    safe_kill(pid, sig)
    safe_kill(pid, signal.SIGCONT)


def is_port_free(port: int, address: str) -> bool:
    """Whether a TCP port is free: here by binding to it, elsewhere by trying to connect."""
    with socket.socket() as one:
        if address in ("localhost", "127.0.0.1"):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("localhost", port))
            except OSError:
                return False
            return True
        one.settimeout(10)
        return one.connect_ex((address, port)) != 0


def find_free_port(start_port: int, end_port: int, address: str = "localhost") -> Optional[int]:
    """The first free port from `start_port` to the one before `end_port`, or `None`.

    It can be taken by others before you take it: let the kernel choose (port 0) where you can.
    """
    return next(_free_ports(start_port, end_port, address), None)


def find_free_ports(
    start_port: int, end_port: int, count: int, address: str = "localhost"
) -> list[int]:
    """Up to `count` free ports."""
    ports = _free_ports(start_port, end_port, address)
    return [port for _, port in zip(range(count), ports)]


def set_log_file_dir(directory: str) -> None:
    """Where `log_line` writes."""
    global _log_file_dir
    _log_file_dir = directory


def log_file_dir() -> str:
    """Where `log_line` writes; empty: the working directory."""
    return _log_file_dir


def log_line(filename: str, line: str) -> None:
    """Adds a line, with the time, to a log of your own."""
    path = get_path(_log_file_dir, filename)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}: {line}\n")


def get_path(base_path: str, user_path: str) -> str:
    """`user_path` if it is absolute, else below `base_path`."""
    return os.path.join(base_path, user_path)


def generate_random_string(length: int) -> str:
    """Letters and digits."""
    return "".join(random.choices(string.ascii_letters + string.digits, k=length))


def generate_random_id() -> str:
    """A name for a device."""
    return f"id{generate_random_string(6)}"


def generate_tmp_file_name(file: str, ext: Optional[str] = None, dir: Optional[str] = None) -> str:
    """A path at which nothing is; in `dir`, or where temporary files go.

    Others can come before you: `test.scratch_dir` is a folder of your own.
    """
    directory = tempfile.gettempdir() if dir is None else dir
    while True:
        name = f"{file}-{time.strftime('%Y%m%d-%H%M%S')}-{generate_random_string(4)}"
        path = os.path.join(directory, name if ext is None else f"{name}.{ext}")
        if not os.path.lexists(path):
            return path


def format_str_for_message(text: str) -> str:
    """Text for the end of a message: one line in quotes after a space, several below it."""
    lines = text.splitlines()
    if not lines:
        return ""
    return f"    {lines[0]!r}" if len(lines) == 1 else "".join(f"\n    {line}" for line in lines)


def get_hash_from_file(hash_path: str, dvd_basename: str) -> str:
    """The hash that a list of hashes (`md5sum` wrote it) has for a file."""
    with open(hash_path, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if len(words) > 1 and dvd_basename in words[-1]:
                return words[0]
    raise ValueError(f"{hash_path}: nothing about `{dvd_basename}`")


def get_full_pci_id(pci_id: str) -> Optional[str]:
    """The whole address of a PCI device of the host: `0000:00:1f.2` for `00:1f.2`."""
    line = _lspci(["-D"], pci_id)
    return line.split()[0] if line else None


def get_vendor_from_pci_id(pci_id: str) -> Optional[str]:
    """The vendor and device of a PCI device of the host: `8086 1533`."""
    line = _lspci(["-n"], pci_id)
    return line.split()[2].replace(":", " ") if line else None


def mount(src: str, mount_point: str, type: str, perm: str = "rw") -> bool:
    """Mounts on the host: whether it is mounted now. What is mounted there is taken away first."""
    umount(src, mount_point, type)
    argv = ["mount", "-t", type, "-o", perm, "--", src, mount_point]
    return _succeeds(argv) and _is_mounted(src, mount_point, type, perm)


def umount(src: str, mount_point: str, type: str) -> bool:
    """Unmounts on the host: whether it is not mounted now."""
    if not _is_mounted(src, mount_point, type):
        return True
    return _succeeds(["umount", "--", mount_point]) and not _is_mounted(src, mount_point, type)


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                children.extend(int(child) for child in file.read().split())
        except OSError:
            pass
    return children


def _free_ports(start: int, end: int, address: str) -> Iterator[int]:
    return (port for port in range(start, end) if is_port_free(port, address))


def _lspci(options: list[str], pci_id: str) -> Optional[str]:
    ended = subprocess.run(
        ["lspci", *options, "-s", pci_id], capture_output=True, text=True, check=False
    )
    if ended.returncode != 0 or not ended.stdout.strip():
        logging.debug("lspci says nothing of %s: %s", pci_id, ended.stderr.strip())
        return None
    return ended.stdout.splitlines()[0]


def _succeeds(argv: list[str]) -> bool:
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        logging.debug("%s: %s", " ".join(argv), ended.stderr.strip())
    return ended.returncode == 0


def _is_mounted(src: str, mount_point: str, type: str, perm: Optional[str] = None) -> bool:
    place = os.path.realpath(mount_point)
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            source, where, kind, options = line.split()[:4]
            if (source, _unescape(where), kind) == (src, place, type):
                if perm is None or perm.split(",")[0] in options.split(","):
                    return True
    return False


def _unescape(path: str) -> str:
    r"""The kernel writes a space as `\040`."""
    for octal in ("040", "011", "012", "134"):
        path = path.replace(f"\\{octal}", chr(int(octal, 8)))
    return path
