"""Descriptor 3, on which a child says what happens."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from typing import Any

from .request import BadRequest
from .text import clean, shortened

EVENTS_FD = 3

FIRST_PRIVATE = 10
"""Descriptors below are what a subtest's own files get."""

LONGEST = 64 << 10
"""Characters of one text in an event: a line has to be shorter than what the runner takes."""


class Events:
    """The descriptor for events; each is written as one line, by whatever thread."""

    def __init__(self, descriptor: int) -> None:
        """Writes to `descriptor`."""
        self._descriptor = descriptor
        self._lock = threading.Lock()
        # A lock that another thread held at a fork would never be released in the new process.
        os.register_at_fork(after_in_child=self._forked)

    @staticmethod
    def take() -> Events:
        """Takes descriptor 3 away from where a subtest, and what it starts, could write to it."""
        try:
            descriptor = fcntl.fcntl(EVENTS_FD, fcntl.F_DUPFD_CLOEXEC, FIRST_PRIVATE)
        except OSError as error:
            raise BadRequest(
                "descriptor 3 is not open (this command is called by `kvmtest run`, not by hand)"
            ) from error
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nowhere, EVENTS_FD, inheritable=False)
        os.close(nowhere)
        return Events(descriptor)

    def send(self, event: dict[str, Any]) -> None:
        """Says `event`. That nobody listens any more is no reason to stop."""
        line = json.dumps(_sendable(event)).encode() + b"\n"
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                pass

    def _forked(self) -> None:
        self._lock = threading.Lock()


def _sendable(value: Any) -> Any:
    if isinstance(value, str):
        return shortened(clean(value), LONGEST)
    if isinstance(value, dict):
        return {str(key): _sendable(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_sendable(part) for part in value]
    return value
