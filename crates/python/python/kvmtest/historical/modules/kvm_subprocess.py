"""Historical names: processes on the host, and sessions with them.

A command is a line of shell, by definition: it is run by `/bin/sh -c`.
"""

from __future__ import annotations

from typing import Any, NoReturn, Optional

from kvmtest import (
    ExpectError,
    ExpectProcessTerminatedError,
    ExpectTimeoutError,
    ShellCmdError,
    ShellError,
    ShellProcessTerminatedError,
    ShellStatusError,
    ShellTimeoutError,
)
from kvmtest import ShellSession as _ShellSession
from kvmtest.historical import _attach, _left_out
from kvmtest.historical._spawn import Spawn
from kvmtest.historical._tail import Tail, kill_tail_threads, run_bg, run_fg

__all__ = [
    "Expect",
    "ExpectError",
    "ExpectProcessTerminatedError",
    "ExpectTimeoutError",
    "ShellCmdError",
    "ShellError",
    "ShellProcessTerminatedError",
    "ShellSession",
    "ShellStatusError",
    "ShellTimeoutError",
    "Spawn",
    "Tail",
    "kill_tail_threads",
    "kvm_expect",
    "kvm_shell_session",
    "kvm_spawn",
    "kvm_tail",
    "run_bg",
    "run_fg",
]

_attach.attach()


class _Sessions(type):
    """Has the sessions of `kvmtest` be instances of the historical classes."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _ShellSession)


class Expect(metaclass=_Sessions):
    """A session with a shell command: calling this gives a `kvmtest.ShellSession`.

    It ends when it is closed or dropped, whatever `auto_close` says.
    """

    def __new__(  # type: ignore[misc]
        cls,
        command: Optional[str] = None,
        id: Optional[str] = None,
        auto_close: bool = True,
        echo: bool = False,
        linesep: str = "\n",
        **more: Any,
    ) -> _ShellSession:
        """Starts `command`; `linesep` is what ends a line that is sent."""
        if command is None or id is not None:
            raise _left_out.LeftOutError(
                "a process belongs to the subtest that started it: give a `command`, no `id`"
            )
        if more:
            raise _left_out.LeftOutError(
                f"`{next(iter(more))}` is left out: only `Tail` calls functions meanwhile"
            )
        # The line is an argument of a fixed script: nothing in it is quoted or taken apart.
        script = 'stty echo; exec /bin/sh -c "$1"' if echo else 'exec /bin/sh -c "$1"'
        session = _ShellSession.spawn(["/bin/sh", "-c", script, "sh", command], name=command)
        session.set_linesep(linesep)
        return session

    def __init_subclass__(cls) -> None:
        if cls.__module__ != __name__:
            _no_subclass()


class ShellSession(Expect):
    """A session with a shell: calling this gives a `kvmtest.ShellSession`."""

    def __new__(  # type: ignore[misc]
        cls,
        command: Optional[str] = None,
        id: Optional[str] = None,
        auto_close: bool = True,
        echo: bool = False,
        linesep: str = "\n",
        *,
        prompt: str = r"[\#\$]\s*$",
        status_test_command: str = "echo $?",
        **more: Any,
    ) -> _ShellSession:
        """Starts `command`, a shell or what leads to one."""
        session = Expect.__new__(cls, command, id, auto_close, echo, linesep, **more)
        session.set_prompt(prompt)
        session.set_status_test_command(status_test_command)
        return session


kvm_spawn = Spawn
kvm_tail = Tail
kvm_expect = Expect
kvm_shell_session = ShellSession


def _no_subclass() -> NoReturn:
    raise TypeError("a session is a `kvmtest.ShellSession`, which has no subclasses: wrap it")


def __getattr__(name: str) -> Any:
    return _left_out.refuse("kvm_subprocess", name)
