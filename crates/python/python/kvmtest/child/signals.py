"""SIGTERM is how the runner asks a child to end."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Optional

import kvmtest

WATCHER = "kvmtest signals"
"""The name of the thread that passes signals on."""


def end_when_asked() -> None:
    """Lets SIGTERM and SIGINT end every wait of the library, and what runs in Python as well.

    The interpreter runs handlers between two instructions of the main thread, which may be in a
    wait of the library; so a thread hears of the signal, too, and ends the wait.
    """
    # It outlives this call: the interpreter writes to one end, and the thread reads the other.
    hear, tell = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(tell, False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _raise)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(hear,), name=WATCHER, daemon=True).start()


def leave_alone() -> None:
    """The subtest has ended: what comes now is the runner's, and not its, to interrupt."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    kvmtest.clear_interrupt()


def _raise(number: int, frame: Optional[FrameType]) -> None:
    kvmtest.interrupt()
    # Once: a second exception would come out of whatever tells of the first.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    raise kvmtest.Interrupted("interrupted")


def _interrupt(number: int, frame: Optional[FrameType]) -> None:
    kvmtest.interrupt()


def _watch(hear: int) -> None:
    asked = (signal.SIGTERM, signal.SIGINT)
    while numbers := os.read(hear, 64):
        if any(number in asked for number in numbers):
            kvmtest.interrupt()
