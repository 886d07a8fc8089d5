"""Threads that a subtest started and left running."""

from __future__ import annotations

import dataclasses
import threading
import time

from .outcome import Finished
from .signals import WATCHER

GRACE = 0.5
"""Seconds for threads that are about to end."""


def watch() -> list[tuple[str, BaseException]]:
    """Threads that die of an exception from here on: their names, and the exceptions."""
    died: list[tuple[str, BaseException]] = []
    usual = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        usual(args)
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            died.append((args.thread.name if args.thread else "unknown", args.exc_value))

    threading.excepthook = hook
    return died


def left() -> list[threading.Thread]:
    """Threads that still run, besides this one and the child's own."""
    return [
        thread
        for thread in threading.enumerate()
        if thread is not threading.current_thread()
        and thread.name != WATCHER
        and not isinstance(thread, threading._DummyThread)
    ]


def none_left(finished: Finished) -> Finished:
    """What becomes of the verdict when threads are left: a test that passed did not clean up."""
    deadline = time.monotonic() + GRACE
    for thread in left():
        thread.join(max(0.0, deadline - time.monotonic()))
    names = ", ".join(f"`{thread.name}`" for thread in left())
    if not names:
        return finished
    message = f"the test left threads behind: {names}"
    if finished.outcome in ("FAIL", "ERROR", "INTERRUPTED"):
        return dataclasses.replace(finished, message=f"{finished.message}; {message}")
    return Finished("ERROR", kind="left-behind", message=message)
