"""The historical methods of a `ShellSession`.

`internal_timeout` was the time without output after which reading looked at what it had: here it
looks whenever something comes, so that it has no effect. `print_func` is called with each line of
what was read, once it was.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Optional, Union

from kvmtest import (
    ExpectProcessTerminatedError,
    ExpectTimeoutError,
    ShellCmdError,
    ShellError,
    ShellSession,
)

__all__ = [
    "cmd",
    "cmd_output",
    "cmd_status",
    "cmd_status_output",
    "get_command_output",
    "get_command_status",
    "get_command_status_output",
    "get_status",
    "match_patterns",
    "read_nonblocking",
    "read_until_any_line_matches",
    "read_until_last_line_matches",
    "read_until_last_word_matches",
    "read_until_output_matches",
    "read_up_to_prompt",
]

_cmd = ShellSession.cmd
_cmd_output = ShellSession.cmd_output
_cmd_status = ShellSession.cmd_status
_cmd_status_output = ShellSession.cmd_status_output
_read_nonblocking = ShellSession.read_nonblocking
_read_until_any_line_matches = ShellSession.read_until_any_line_matches
_read_until_last_line_matches = ShellSession.read_until_last_line_matches
_read_until_output_matches = ShellSession.read_until_output_matches
_read_up_to_prompt = ShellSession.read_up_to_prompt

_Pattern = Union[str, "re.Pattern[str]"]
_Patterns = Union[_Pattern, Sequence[_Pattern]]
_Print = Optional[Callable[[str], object]]
_Filter = Callable[[str], str]

_ANYTHING = r"(?s).+"


def cmd(
    self: ShellSession,
    command: str,
    timeout: Optional[float] = None,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> str:
    """Runs a command: its output. A status other than 0 is a `ShellCmdError`."""
    try:
        return _shown(_cmd(self, command, timeout), print_func)
    except ShellCmdError as error:
        _shown((error.output or b"").decode("utf-8", "surrogateescape"), print_func)
        raise


def cmd_output(
    self: ShellSession,
    command: str,
    timeout: Optional[float] = None,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> str:
    """Runs a command: its output, whatever the status."""
    return _shown(_cmd_output(self, command, timeout), print_func)


def cmd_status_output(
    self: ShellSession,
    command: str,
    timeout: Optional[float] = None,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> tuple[int, str]:
    """Runs a command: its status and output."""
    status, output = _cmd_status_output(self, command, timeout)
    return status, _shown(output, print_func)


def cmd_status(
    self: ShellSession,
    command: str,
    timeout: Optional[float] = None,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> int:
    """Runs a command: its status."""
    if print_func is None:
        return _cmd_status(self, command, timeout)
    return cmd_status_output(self, command, timeout, None, print_func)[0]


def get_command_status_output(
    self: ShellSession,
    command: str,
    timeout: float = 30.0,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> tuple[Optional[int], str]:
    """`cmd_status_output`; a command that does not end, or whose status cannot be read, has the
    status `None`, and what came of its output."""
    try:
        return cmd_status_output(self, command, timeout, None, print_func)
    except ShellError as error:
        return None, (error.output or b"").decode("utf-8", "surrogateescape")


def get_command_status(
    self: ShellSession,
    command: str,
    timeout: float = 30.0,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> Optional[int]:
    """`cmd_status`, or `None` as `get_command_status_output` has it."""
    return get_command_status_output(self, command, timeout, None, print_func)[0]


def get_command_output(
    self: ShellSession,
    command: str,
    timeout: float = 30.0,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> str:
    """`cmd_output`, or what came of it where the command does not end."""
    return get_command_status_output(self, command, timeout, None, print_func)[1]


def read_nonblocking(
    self: ShellSession,
    quiet: Optional[float] = None,
    timeout: Optional[float] = None,
    internal_timeout: Optional[float] = None,
) -> str:
    """What comes until nothing came for `quiet` seconds, 0.1 unless told.

    Historical calls name that time `timeout`: it is so where `timeout` comes without `quiet`.
    """
    if quiet is None:
        quiet = internal_timeout
    if quiet is None:
        quiet, timeout = (0.1 if timeout is None else timeout), None
    return _read_nonblocking(self, quiet, timeout)


def match_patterns(
    self: ShellSession, text: str, patterns: Sequence[Optional[_Pattern]]
) -> Optional[int]:
    """Which of the patterns, the first of them, is found in `text`; `None` if none is."""
    for index, pattern in enumerate(patterns):
        if pattern is not None and re.search(pattern, text):
            return index
    return None


def read_until_output_matches(
    self: ShellSession,
    patterns: _Patterns,
    filter: Union[_Filter, float, None] = None,
    timeout: Optional[float] = None,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> tuple[int, str]:
    """Reads until one of the patterns matches: which, and everything up to there.

    With a function as `filter`, they are looked for in what it makes of all that was read, which
    is returned as it came.
    """
    if callable(filter):
        index, output = _read_filtered(self, patterns, filter, timeout)
    else:
        timeout = filter if timeout is None else timeout
        index, output = _read_until_output_matches(self, patterns, timeout)
    return index, _shown(output, print_func)


def read_until_last_word_matches(
    self: ShellSession,
    patterns: _Patterns,
    timeout: Optional[float] = None,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> tuple[int, str]:
    """Reads until one of the patterns matches in the last word."""
    return read_until_output_matches(self, patterns, _last_word, timeout, None, print_func)


def read_until_last_line_matches(
    self: ShellSession,
    patterns: _Patterns,
    timeout: Optional[float] = None,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> tuple[int, str]:
    """Reads until one of the patterns matches in the last line that is not blank."""
    index, output = _read_until_last_line_matches(self, patterns, timeout)
    return index, _shown(output, print_func)


def read_until_any_line_matches(
    self: ShellSession,
    patterns: _Patterns,
    timeout: Optional[float] = None,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> tuple[int, str]:
    """Reads until one of the patterns matches in a line."""
    index, output = _read_until_any_line_matches(self, patterns, timeout)
    return index, _shown(output, print_func)


def read_up_to_prompt(
    self: ShellSession,
    timeout: Optional[float] = None,
    internal_timeout: Optional[float] = None,
    print_func: _Print = None,
) -> str:
    """Reads until the next prompt: what came before it."""
    return _shown(_read_up_to_prompt(self, timeout), print_func)


def get_status(self: ShellSession) -> Optional[int]:
    """Waits until the process behind it has ended: its status. What was not read is dropped."""
    while True:
        try:
            return self.read_until_end()[0]
        except ExpectTimeoutError:
            pass


def _read_filtered(
    session: ShellSession, patterns: _Patterns, filter: _Filter, timeout: Optional[float]
) -> tuple[int, str]:
    wanted = [patterns] if isinstance(patterns, (str, re.Pattern)) else list(patterns)
    end = time.monotonic() + (60.0 if timeout is None else timeout)
    output = ""
    while True:
        index = match_patterns(session, filter(output), wanted)
        if index is not None:
            return index, output
        try:
            left = max(0.0, end - time.monotonic())
            output += _read_until_output_matches(session, [_ANYTHING], left)[1]
        except (ExpectTimeoutError, ExpectProcessTerminatedError) as error:
            names = " or ".join(f"`{getattr(one, 'pattern', one)}`" for one in wanted)
            error.message = error.message.replace(f"`{_ANYTHING}`", names)
            error.output = output.encode("utf-8", "surrogateescape")
            raise


def _last_word(text: str) -> str:
    words = text.split()
    return words[-1] if words else ""


def _shown(output: str, print_func: _Print) -> str:
    if print_func is not None:
        for line in output.splitlines():
            print_func(line)
    return output
