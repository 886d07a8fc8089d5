"""A process on the host whose output is read as it comes, by a thread of its own."""

from __future__ import annotations

import atexit
import os
import pty
import select
import signal
import subprocess
import tempfile
import termios
import threading
import weakref
from typing import Optional

from ._left_out import LeftOutError

__all__ = ["Spawn", "alive"]

# A line that is not finished is told after so much silence.
_SILENCE = 0.05

# How much is read at most once it has ended: more than a terminal holds.
_REST = 1 << 20


class Spawn:
    """A shell command on a terminal of its own.

    It leads a process group, and ends with `close()` or with this process. Its output is read at
    once, whether anybody asks for it or not; carriage returns are left out.
    """

    def __init__(
        self,
        command: Optional[str] = None,
        id: Optional[str] = None,
        auto_close: bool = False,
        echo: bool = False,
        linesep: str = "\n",
    ) -> None:
        """Starts `command` by `/bin/sh`: a line of shell by definition.

        `echo` has the terminal repeat what is sent. `auto_close` changes nothing: use `with`.
        """
        if command is None or id is not None:
            raise LeftOutError(
                "a process belongs to the subtest that started it: give a `command`, no `id`"
            )
        self.command = command
        self.linesep = linesep
        self._process, self._terminal = _start(command, echo)
        self._pidfd = os.pidfd_open(self._process.pid)
        # It has no name, and so it is gone with this process.
        self._output = tempfile.TemporaryFile()
        self._lock = threading.Lock()
        self._rest = _REST
        alive.add(self)
        self._reader = threading.Thread(target=self._read, name=command, daemon=True)
        self._reader.start()

    def get_id(self) -> str:
        """What tells it from others: the number of its process."""
        return str(self._process.pid)

    def get_pid(self) -> int:
        """Its process: the shell, or the command in its place. It leads a process group."""
        return self._process.pid

    def get_shell_pid(self) -> int:
        """The same as `get_pid`."""
        return self._process.pid

    def get_status(self) -> int:
        """Waits until it has ended: its exit status, or minus the signal that ended it."""
        self.wait()
        return self._process.wait()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Waits until it has ended and all of its output was told: whether that was in time."""
        if threading.current_thread() is not self._reader:
            self._reader.join(timeout)
        return not self.is_alive()

    def get_output(self) -> str:
        """Everything that it has printed so far."""
        with self._lock:
            self._output.seek(0)
            return self._output.read().decode("utf-8", "surrogateescape")

    def is_alive(self) -> bool:
        """Whether it runs, or some of its output was not told yet."""
        return self._reader.is_alive()

    def set_linesep(self, linesep: str) -> None:
        """What `sendline` ends a line with."""
        self.linesep = linesep

    def send(self, text: str = "") -> None:
        """Types `text`."""
        data = text.encode("utf-8", "surrogateescape")
        while data:
            data = data[os.write(self._terminal, data) :]

    def sendline(self, text: str = "") -> None:
        """Types a line."""
        self.send(text + self.linesep)

    def send_signal(self, sig: int) -> None:
        """Sends its process group a signal, if it is still there."""
        # Until it is reaped nobody else can get its number.
        with self._lock:
            if self._process.returncode is None:
                os.killpg(self._process.pid, sig)

    def close(self, sig: int = signal.SIGKILL) -> None:
        """Sends its process group a signal, and waits until it has ended."""
        self.send_signal(sig)
        self.wait()

    def __enter__(self) -> Spawn:
        """For `with`: it is closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self.close()

    def _read(self) -> None:
        """What the thread does."""
        pending = b""
        try:
            while True:
                data = self._next(_SILENCE if pending else None)
                if data is None:
                    self._tell(pending)
                    pending = b""
                    continue
                if not data:
                    break
                *lines, pending = (pending + data.replace(b"\r", b"")).split(b"\n")
                for line in lines:
                    self._tell(line)
            if pending:
                self._tell(pending)
        finally:
            self._end()

    def _next(self, timeout: Optional[float]) -> Optional[bytes]:
        """What comes next: nothing is the end, `None` that nothing came in time."""
        poll = select.poll()
        poll.register(self._terminal, select.POLLIN)
        poll.register(self._pidfd, select.POLLIN)
        ready = dict(poll.poll(None if timeout is None else timeout * 1000))
        if not ready:
            return None
        if self._pidfd in ready:
            # Others may still have its terminal, and go on printing: what it printed comes first.
            self._kill_left()
            if self._terminal not in ready or self._rest <= 0:
                return b""
        try:
            data = os.read(self._terminal, 65536)
        except OSError:
            return b""  # Nobody has the other end of the terminal any more.
        if self._pidfd in ready:
            self._rest -= len(data)
        with self._lock:
            self._output.seek(0, os.SEEK_END)
            self._output.write(data.replace(b"\r", b""))
        return data

    def _kill_left(self) -> None:
        """Ends what it left behind; it has ended, and is not reaped yet."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def _end(self) -> None:
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._kill_left()
            status = self._process.wait()
        os.close(self._terminal)
        os.close(self._pidfd)
        alive.discard(self)
        self._tell_end(status)

    def _tell(self, line: bytes) -> None:
        self._tell_line(line.decode("utf-8", "surrogateescape"))

    def _tell_line(self, line: str) -> None:
        """Called by the thread with each line."""

    def _tell_end(self, status: int) -> None:
        """Called by the thread at the end."""


alive: weakref.WeakSet[Spawn] = weakref.WeakSet()
"""Those that run."""


_OWNER = os.getpid()


@atexit.register
def _close_all() -> None:
    if os.getpid() == _OWNER:  # In a fork they are another's.
        for process in list(alive):
            process.send_signal(signal.SIGKILL)


def _start(command: str, echo: bool) -> tuple[subprocess.Popen[bytes], int]:
    """The process, and our end of its terminal."""
    ours, theirs = pty.openpty()
    try:
        mode = termios.tcgetattr(theirs)
        mode[0] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR)
        mode[1] &= ~termios.OPOST
        mode[3] = mode[3] | termios.ECHO if echo else mode[3] & ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, mode)
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "dumb"},
            start_new_session=True,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return process, ours
