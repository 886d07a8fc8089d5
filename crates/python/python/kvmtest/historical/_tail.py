"""Processes on the host whose lines are handed to functions."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Optional

from ._spawn import Spawn, alive

__all__ = ["Tail", "kill_tail_threads", "run_bg", "run_fg"]


class Tail(Spawn):
    """A shell command whose lines are handed to a function as they come.

    `output_func` is called with each line, `termination_func` with the status at the end; both by
    a thread. The params of a function, a tuple, come before that.
    """

    def __init__(
        self,
        command: Optional[str] = None,
        id: Optional[str] = None,
        auto_close: bool = False,
        echo: bool = False,
        linesep: str = "\n",
        termination_func: Optional[Callable[..., object]] = None,
        termination_params: tuple[Any, ...] = (),
        output_func: Optional[Callable[..., object]] = None,
        output_params: tuple[Any, ...] = (),
        output_prefix: str = "",
    ) -> None:
        """Starts `command` by `/bin/sh`: a line of shell by definition."""
        self.termination_func = termination_func
        self.termination_params = termination_params
        self.output_func = output_func
        self.output_params = output_params
        self.output_prefix = output_prefix
        super().__init__(command, id, auto_close, echo, linesep)

    def set_termination_func(self, termination_func: Optional[Callable[..., object]]) -> None:
        """What is called at the end."""
        self.termination_func = termination_func

    def set_termination_params(self, termination_params: tuple[Any, ...]) -> None:
        """What it is called with before the status."""
        self.termination_params = termination_params

    def set_output_func(self, output_func: Optional[Callable[..., object]]) -> None:
        """What is called with each line."""
        self.output_func = output_func

    def set_output_params(self, output_params: tuple[Any, ...]) -> None:
        """What it is called with before the line."""
        self.output_params = output_params

    def set_output_prefix(self, output_prefix: str) -> None:
        """What stands before each line."""
        self.output_prefix = output_prefix

    def _tell_line(self, line: str) -> None:
        function = self.output_func
        if function is None:
            return
        try:
            function(*self.output_params, self.output_prefix + line)
        except Exception:
            # It is told as that of any thread is; the process goes on, and is read on.
            self.output_func = None
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._reader)))

    def _tell_end(self, status: int) -> None:
        self._tell_line(f"(Process terminated with status {status})")
        function = self.termination_func
        if function is not None:
            function(*self.termination_params, status)


def run_bg(
    command: str,
    termination_func: Optional[Callable[[int], object]] = None,
    output_func: Optional[Callable[[str], object]] = None,
    output_prefix: str = "",
    timeout: float = 1.0,
) -> Tail:
    """Starts a shell command, and waits for its end, but for no longer than `timeout`."""
    process = Tail(
        command,
        termination_func=termination_func,
        output_func=output_func,
        output_prefix=output_prefix,
    )
    process.wait(timeout)
    return process


def run_fg(
    command: str,
    output_func: Optional[Callable[[str], object]] = None,
    output_prefix: str = "",
    timeout: float = 1.0,
) -> tuple[Optional[int], str]:
    """Runs a shell command: its status and output. After `timeout` it is killed, and its status
    is `None`."""
    with run_bg(command, None, output_func, output_prefix, timeout) as process:
        status = None if process.is_alive() else process.get_status()
    return status, process.get_output()


def kill_tail_threads() -> None:
    """From now on no function is called for any `Tail` that there is; its process goes on."""
    for process in list(alive):
        if isinstance(process, Tail):
            process.set_output_func(None)
            process.set_termination_func(None)
