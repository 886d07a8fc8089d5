"""Historical names: what subtests did on the host.

A command is a line of shell, by definition: it is run by `/bin/sh -c`. Values go into `args`, which
are handed to it as they are.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Optional, Union

from kvmtest.historical import _attach, _left_out
from kvmtest.historical._errors import CmdError
from kvmtest.historical._wait import wait_for

__all__ = [
    "CmdError",
    "CmdResult",
    "count_cpus",
    "get_arch",
    "get_current_kernel_arch",
    "hash_file",
    "open_write_close",
    "pid_is_alive",
    "read_file",
    "read_keyval",
    "read_one_line",
    "run",
    "signal_pid",
    "system",
    "system_output",
    "system_output_parallel",
    "wait_for",
    "write_keyval",
    "write_one_line",
]

_Path = Union[str, "os.PathLike[str]"]

_attach.attach()


@dataclass
class CmdResult:
    """How a command ended."""

    command: str = ""
    stdout: str = ""
    stderr: str = ""
    exit_status: Optional[int] = None
    duration: float = 0.0


def run(
    command: str,
    timeout: Optional[float] = None,
    ignore_status: bool = False,
    stdout_tee: Optional[IO[str]] = None,
    stderr_tee: Optional[IO[str]] = None,
    verbose: bool = True,
    stdin: Union[str, bytes, None] = None,
    args: Sequence[str] = (),
) -> CmdResult:
    """Runs a command and waits for it: what it printed, and its status.

    A status other than 0 is a `CmdError` unless `ignore_status`; so is one that has not ended
    within `timeout`, which is killed with its process group. `stdout_tee` and `stderr_tee` are
    written what it printed, once it has ended. `args` are added to the line, each one as it is.
    """
    argv = ["/bin/sh", "-c", f'{command} "$@"' if args else command, "sh", *args]
    if verbose:
        logging.debug("Running '%s'", " ".join([command, *args]))
    begun = time.monotonic()
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    given = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin
    late = None
    try:
        stdout, stderr = process.communicate(given, timeout)
    except subprocess.TimeoutExpired:
        late = f"it did not end within {timeout:g} s"
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    result = CmdResult(
        command,
        stdout.decode("utf-8", "surrogateescape"),
        stderr.decode("utf-8", "surrogateescape"),
        process.returncode,
        time.monotonic() - begun,
    )
    for tee, text in ((stdout_tee, result.stdout), (stderr_tee, result.stderr)):
        if tee is not None:
            tee.write(text)
    if late is not None or (result.exit_status != 0 and not ignore_status):
        raise CmdError(command, result, late)
    return result


def system(
    command: str,
    timeout: Optional[float] = None,
    ignore_status: bool = False,
    verbose: bool = True,
) -> int:
    """Runs a command as `run` does: its status. What it printed goes to the log."""
    result = run(command, timeout, ignore_status, verbose=verbose)
    for text in (result.stdout, result.stderr):
        if text:
            logging.debug("%s", text.rstrip("\n"))
    return result.exit_status or 0


def system_output(
    command: str,
    timeout: Optional[float] = None,
    ignore_status: bool = False,
    retain_output: bool = False,
    verbose: bool = True,
    args: Sequence[str] = (),
) -> str:
    """Runs a command as `run` does: its standard output, without the line end at its end.

    `retain_output` also writes it to the log.
    """
    output = run(command, timeout, ignore_status, verbose=verbose, args=args).stdout
    if retain_output:
        logging.debug("%s", output.rstrip("\n"))
    return output[:-1] if output.endswith("\n") else output


def system_output_parallel(
    commands: Sequence[str],
    timeout: Optional[float] = None,
    ignore_status: bool = False,
    retain_output: bool = False,
) -> list[str]:
    """`system_output` of several commands at one time."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=max(1, len(commands))) as pool:
        run_one = [
            pool.submit(system_output, command, timeout, ignore_status, retain_output)
            for command in commands
        ]
        return [one.result() for one in run_one]


def pid_is_alive(pid: int) -> bool:
    """Whether there is a process of that number that has not ended."""
    try:
        with open(f"/proc/{int(pid)}/stat", encoding="utf-8", errors="replace") as file:
            # The name, in parentheses, may hold anything.
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def signal_pid(pid: int, sig: int) -> bool:
    """Sends a signal; whether the process has ended within 5 seconds."""
    try:
        os.kill(int(pid), sig)
    except OSError:
        return not pid_is_alive(pid)
    return wait_for(lambda: not pid_is_alive(pid), 5.0, 0.0, 0.1) is not None


def read_file(filename: _Path) -> str:
    """What is in a file."""
    with open(filename, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def read_one_line(filename: _Path) -> str:
    """The first line of a file, without its end."""
    with open(filename, encoding="utf-8", errors="surrogateescape") as file:
        return file.readline().rstrip("\n")


def write_one_line(filename: _Path, line: str) -> None:
    """Makes a file of one line."""
    open_write_close(filename, line.rstrip("\n") + "\n")


def open_write_close(filename: _Path, data: str) -> None:
    """Makes a file of `data`."""
    with open(filename, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(data)


def read_keyval(path: _Path) -> dict[str, Union[str, int, float]]:
    """The `key=value` lines of a file, or of `keyval` in a folder; numbers as such."""
    if os.path.isdir(path):
        path = os.path.join(path, "keyval")
    if not os.path.exists(path):
        return {}
    facts: dict[str, Union[str, int, float]] = {}
    for line in read_file(path).splitlines():
        line = line.partition("#")[0].rstrip()
        key, equals, value = line.partition("=")
        if not line:
            continue
        if not equals:
            raise ValueError(f"{os.fspath(path)}: no `key=value`: {line!r}")
        facts[key] = _number(value)
    return facts


def write_keyval(path: _Path, dictionary: Mapping[str, object]) -> None:
    """Adds `key=value` lines to a file, or to `keyval` in a folder."""
    if os.path.isdir(path):
        path = os.path.join(path, "keyval")
    with open(path, "a", encoding="utf-8") as file:
        for key in sorted(dictionary):
            file.write(f"{key}={dictionary[key]}\n")


def hash_file(filename: _Path, size: Optional[int] = None, method: str = "md5") -> str:
    """The hash of a file, or of its first `size` bytes, in hexadecimal: `md5` or `sha1`."""
    digest = hashlib.new(method)
    left = os.path.getsize(filename) if not size else size
    with open(filename, "rb") as file:
        while left > 0:
            data = file.read(min(left, 1 << 20))
            if not data:
                break
            digest.update(data)
            left -= len(data)
    return digest.hexdigest()


def count_cpus() -> int:
    """How many processors the host has."""
    return os.cpu_count() or 1


def get_current_kernel_arch() -> str:
    """The host's architecture: `x86_64`."""
    return platform.machine()


def get_arch() -> str:
    """The host's architecture: `x86_64`."""
    return platform.machine()


def _number(value: str) -> Union[str, int, float]:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            pass
    return value


def __getattr__(name: str) -> Any:
    return _left_out.refuse("utils", name)
