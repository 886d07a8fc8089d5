"""Ways for a child to end."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn

BAD_REQUEST = 20
"""The exit code of a child that could not read its request."""


def flush() -> None:
    """Writes out what was printed, whatever a subtest put in the place of the streams."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None:
                stream.flush()
        except BaseException:  # noqa: BLE001 (the stream may be anything)
            pass
    # The interpreter flushes them once more, and has an exit code of its own where that fails.
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__


def at_once(code: int) -> NoReturn:
    """Ends this process and nothing else."""
    flush()
    os._exit(code)


def without_threads(code: int) -> NoReturn:
    """Ends this process as usual, but waits for no thread."""
    try:
        atexit._run_exitfuncs()
    finally:
        at_once(code)
