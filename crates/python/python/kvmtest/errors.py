"""The exceptions: one class for each kind of thing that goes wrong.

`str()` of one is its message and, in brackets, what was being done; the parts are attributes.
"""

from __future__ import annotations

from typing import Any, Iterable, Optional

__all__ = [
    "Error",
    "Verdict",
    "TestFail",
    "TestError",
    "TestSkip",
    "TestNAError",
    "TestWarn",
    "TestCancel",
    "Interrupted",
    "ParamError",
    "ParamMissingError",
    "ConfigError",
    "EnvError",
    "HostError",
    "GuestError",
    "VMError",
    "VMCreateError",
    "VMDeadError",
    "VMMissingError",
    "VMAddressError",
    "GuestPanickedError",
    "GuestFaultError",
    "GuestNotBootedError",
    "ImageError",
    "StateError",
    "StateGoneError",
    "MigrateError",
    "MigrateBlockedError",
    "MigrateFailedError",
    "MigrateTimeoutError",
    "MigrateCancelledError",
    "ScreenError",
    "MonitorError",
    "MonitorTimeoutError",
    "MonitorCommandError",
    "SessionError",
    "ExpectError",
    "ExpectTimeoutError",
    "ExpectProcessTerminatedError",
    "ShellError",
    "ShellTimeoutError",
    "ShellProcessTerminatedError",
    "ShellCmdError",
    "ShellStatusError",
    "LoginError",
    "LoginAuthenticationError",
    "LoginTimeoutError",
    "LoginProcessTerminatedError",
    "TransferError",
    "HostIOError",
]


class Error(Exception):
    """What every exception of kvmtest is.

    `kind` is the kind in one word (`login-timeout`), the same in every language; `message` is
    what went wrong; `contexts` is what was being done, outermost first; `output` is what the
    other side (a guest, QEMU) had said, as bytes, where that is known; `status` is the exit
    status of a command that failed.
    """

    kind: str = "error"
    message: str
    contexts: list[str]
    output: Optional[bytes]
    status: Optional[int]

    def __init__(
        self,
        message: object = "",
        *,
        kind: Optional[str] = None,
        contexts: Iterable[str] = (),
        output: Optional[bytes] = None,
        status: Optional[int] = None,
    ) -> None:
        """An error that says `message`; `kind` is the class's own unless given."""
        self.message = str(message)
        super().__init__(self.message)
        if kind is not None:
            self.kind = kind
        self.contexts = list(contexts)
        self.output = output
        self.status = status

    def __str__(self) -> str:
        """The message, and what was being done."""
        if not self.contexts:
            return self.message
        return f"{self.message} [context: {' --> '.join(self.contexts)}]"

    def __repr__(self) -> str:
        """The class and the whole text."""
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with all its parts."""
        return (_rebuild, (type(self), self.message, dict(self.__dict__)))


def _rebuild(kind: type[Error], message: str, state: dict[str, Any]) -> Error:
    error = kind.__new__(kind, message)
    Error.__init__(error, message)
    error.__dict__.update(state)
    return error


class Verdict(Error):
    """What a subtest says of itself, by `test.fail` and its like."""


class TestFail(Verdict):
    """What was tested is wrong."""

    kind = "test-fail"


class TestError(Verdict):
    """The test could not be carried out."""

    kind = "test-error"


class TestSkip(Verdict):
    """Not applicable here."""

    kind = "test-skip"


TestNAError = TestSkip


class TestWarn(Verdict):
    """Bad, but no failure."""

    kind = "test-warn"


class TestCancel(Verdict):
    """Given up on purpose."""

    kind = "test-cancel"


class Interrupted(Error):
    """Somebody asked everything to stop: every wait ends with this until `clear_interrupt()`."""

    kind = "interrupted"


class ParamError(Error):
    """A key of the params has a value that is not what the key needs."""

    kind = "params"


class ParamMissingError(ParamError, KeyError):
    """A key of the params is not set. Also a `KeyError`."""


class ConfigError(Error):
    """A configuration cannot be understood."""

    kind = "config"


class EnvError(Error):
    """The env file is broken, of another version, or cannot be reached."""

    kind = "env"


class HostError(Error):
    """The host lacks something that is needed."""

    kind = "host"


class GuestError(Error):
    """A guest is unknown, not built, or lacks what the params ask for."""

    kind = "guest"


class VMError(Error):
    """Something is wrong with a machine."""


class VMCreateError(VMError):
    """QEMU would not start: its own words are in the message."""

    kind = "vm-create"


class VMDeadError(VMError):
    """The QEMU process is gone."""

    kind = "vm-dead"


class VMMissingError(VMError):
    """There is no such machine."""

    kind = "vm-missing"


class VMAddressError(VMError):
    """The guest's address or port cannot be told."""

    kind = "vm-address"


class GuestPanickedError(VMError):
    """The guest's kernel panicked."""

    kind = "guest-panicked"


class GuestFaultError(VMError):
    """The guest's kernel met an error, or its machine did what nobody had asked for."""

    kind = "guest-fault"


class GuestNotBootedError(VMError):
    """The machine said that it cannot boot, or ended before it had booted."""

    kind = "guest-not-booted"


class ImageError(VMError):
    """A disk image is missing, broken or cannot be made."""

    kind = "image"


class StateError(VMError):
    """A state of a guest is unknown, or cannot be made or kept."""

    kind = "state"


class StateGoneError(StateError):
    """A state was dropped from the store since it was found: it can be asked for again."""

    kind = "state-gone"


class MigrateError(VMError):
    """A machine was not moved, saved or restored. What was running goes on."""


class MigrateBlockedError(MigrateError):
    """It is of a kind that cannot be moved, saved or forked. Nothing was tried; a test that it
    comes out of is skipped."""

    kind = "migrate-blocked"


class MigrateFailedError(MigrateError):
    """QEMU could not do it: its own words are in the message."""

    kind = "migrate-failed"


class MigrateTimeoutError(MigrateError):
    """It did not end in time, and was cancelled."""

    kind = "migrate-timeout"


class MigrateCancelledError(MigrateError):
    """It was cancelled, as was asked for."""

    kind = "migrate-cancelled"


class ScreenError(VMError):
    """There is no screen, or what was taken of it is no picture."""

    kind = "screen"


class MonitorError(Error):
    """A monitor cannot be reached, or does not speak its protocol."""

    kind = "monitor"


class MonitorTimeoutError(MonitorError):
    """A monitor did not answer in time."""

    kind = "monitor-timeout"


class MonitorCommandError(MonitorError):
    """QEMU refused a monitor command."""

    kind = "monitor-command"


class SessionError(Error):
    """Something is wrong with a session, or with what runs in it."""


class ExpectError(SessionError):
    """What was waited for in a session did not come."""


class ExpectTimeoutError(ExpectError):
    """It did not come in time."""

    kind = "expect-timeout"


class ExpectProcessTerminatedError(ExpectError):
    """The process or socket behind the session ended."""

    kind = "expect-terminated"


class ShellError(SessionError):
    """A command in a session went wrong."""


class ShellTimeoutError(ShellError):
    """The command did not end in time."""

    kind = "shell-timeout"


class ShellProcessTerminatedError(ShellError):
    """The session ended while the command ran in it."""

    kind = "shell-terminated"


class ShellCmdError(ShellError):
    """The command ended with a status other than 0: `status`, `output`."""

    kind = "shell-command"


class ShellStatusError(ShellError):
    """The status of the command could not be read."""

    kind = "shell-status"


class LoginError(SessionError):
    """Nobody could log in."""


class LoginAuthenticationError(LoginError):
    """The guest refused the user name or the password."""

    kind = "login-authentication"


class LoginTimeoutError(LoginError):
    """No login in time."""

    kind = "login-timeout"


class LoginProcessTerminatedError(LoginError):
    """The session ended before the login was through."""

    kind = "login-terminated"


class TransferError(SessionError):
    """A file could not be copied to or from the guest."""

    kind = "transfer"


class HostIOError(Error):
    """The operating system refused something."""

    kind = "io"


def _classes(base: type[Error]) -> Iterable[type[Error]]:
    yield base
    for child in base.__subclasses__():
        yield from _classes(child)


_OF_KIND: dict[str, type[Error]] = {
    one.__dict__["kind"]: one for one in _classes(Error) if "kind" in one.__dict__
}


def _of_kind(kind: str, is_missing_key: bool) -> type[Error]:
    """The class for a kind of the library's; called by the extension."""
    if is_missing_key:
        return ParamMissingError
    return _OF_KIND.get(kind, Error)
