"""The child's side of the protocol: how the runner has a subtest in Python run.

`python -m kvmtest child FILE` gets one JSON document, the request, on standard input, says what
happens by JSON lines on descriptor 3, and ends with the exit code of the test's outcome.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import kvmtest

from . import exits, threads
from .events import Events
from .outcome import EXIT_CODES, Finished
from .request import BadRequest, Request
from .run import run

__all__ = ["main"]


def main(args: list[str]) -> int:
    """Runs the subtest in the file that `args` name; gives back the exit code."""
    try:
        if len(args) != 1:
            raise BadRequest("the file of the subtest is not named")
        events = Events.take()
        request = Request.read(sys.stdin.buffer.read(), file=args[0])
        kvmtest.die_with_parent(request.parent)
    except (BadRequest, kvmtest.Error) as error:
        print(f"cannot serve as a child: {error}", file=sys.stderr)
        return exits.BAD_REQUEST
    process = os.getpid()
    events.send({"event": "started", "version": request.version, "pid": process})
    finished = run(request, events)
    if os.getpid() != process:
        # A process that the subtest forked came back through here: the verdict is not its own.
        exits.at_once(1 if finished.outcome in ("FAIL", "ERROR") else 0)
    finished = threads.none_left(finished)
    events.send(as_event(finished))
    exits.flush()
    if threads.left():
        # The interpreter would wait for them, maybe for ever.
        exits.without_threads(EXIT_CODES[finished.outcome])
    return EXIT_CODES[finished.outcome]


def as_event(finished: Finished) -> dict[str, Any]:
    """The last line of a child: what is not known is left out."""
    said = {key: value for key, value in vars(finished).items() if value not in (None, "", [])}
    return {"event": "finished", **said}
