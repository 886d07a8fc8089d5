"""Ping, from the host or from a guest."""

from __future__ import annotations

import logging
import re
import shlex
import signal
from collections.abc import Callable
from typing import Optional

from kvmtest import ShellSession, ShellTimeoutError

from . import _session
from ._tail import run_bg

__all__ = ["get_loss_ratio", "ping", "raw_ping"]

_Print = Optional[Callable[[str], object]]

# What the session had told the shell to print after the command.
_MARK = re.compile(r"\n*^kv[0-9a-f]+-[0-9]+=[0-9]+;\s*\Z", re.MULTILINE)

# How long ping may take to print its sums once it is interrupted.
_SUMS = 10.0


def get_loss_ratio(output: str) -> int:
    """How many per cent of the packets were lost, as `ping` prints it; -1 if it does not."""
    found = re.search(r"(\d+)(?:\.\d+)?% (?:packet )?loss", output)
    return int(found.group(1)) if found else -1


def raw_ping(
    command: str,
    timeout: Optional[float],
    session: Optional[ShellSession],
    output_func: _Print,
) -> tuple[Optional[int], str]:
    """Runs a ping command, in a session or on the host: its status and output.

    After `timeout` it is interrupted, so that it prints its sums.
    """
    if session is None:
        return _on_the_host(command, timeout, output_func)
    try:
        return _session.cmd_status_output(session, command, timeout, None, output_func)
    except ShellTimeoutError:
        session.send("\x03")
        output = _MARK.sub("\n", _session.read_up_to_prompt(session, _SUMS))
        if output_func is not None:
            for line in output.splitlines():
                output_func(line)
        return _status(output), output


def ping(
    dest: Optional[str] = None,
    count: Optional[int] = None,
    interval: Optional[float] = None,
    interface: Optional[str] = None,
    packetsize: Optional[int] = None,
    ttl: Optional[int] = None,
    hint: Optional[str] = None,
    adaptive: bool = False,
    broadcast: bool = False,
    flood: bool = False,
    timeout: float = 0,
    output_func: _Print = logging.debug,
    session: Optional[ShellSession] = None,
) -> tuple[Optional[int], str]:
    """Pings `dest`, `localhost` unless told, from the host or from a session's guest: status and
    output.

    `interval` is in seconds, `packetsize` in bytes, `hint` how to discover the path's MTU. It is
    interrupted after `timeout`; 0: `count` packets have to do.
    """
    words = ["ping"]
    for option, value in (
        ("-c", count),
        ("-i", interval),
        ("-I", interface),
        ("-s", packetsize),
        ("-t", ttl),
        ("-M", hint),
    ):
        if value is not None:
            words += [option, str(value)]
    words += [option for option, on in (("-A", adaptive), ("-b", broadcast), ("-f", flood)) if on]
    words.append("localhost" if dest is None else dest)
    return raw_ping(shlex.join(words), timeout or None, session, output_func)


def _on_the_host(
    command: str, timeout: Optional[float], output_func: _Print
) -> tuple[Optional[int], str]:
    with run_bg(command, None, output_func, timeout=0) as process:
        is_late = not process.wait(timeout)
        if is_late:
            process.send_signal(signal.SIGINT)
            process.wait(_SUMS)
        status = None if process.is_alive() else process.get_status()
    output = process.get_output()
    # The shell around it was interrupted, too: its status says nothing.
    return _status(output) if is_late and status is not None else status, output


def _status(output: str) -> int:
    """What ping itself would have: 0 if there was an answer at all."""
    return 0 if 0 <= get_loss_ratio(output) < 100 else 1
