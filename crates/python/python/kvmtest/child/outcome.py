"""How a test ended, as the runner wants to be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

EXIT_CODES = {
    "PASS": 0,
    "FAIL": 10,
    "ERROR": 11,
    "WARN": 12,
    "SKIP": 13,
    "CANCEL": 14,
    "INTERRUPTED": 15,
}
"""The exit code of a child for each outcome."""

_IN_SUBTEST = {
    "test-skip": "SKIP",
    "migrate-blocked": "SKIP",
    "test-cancel": "CANCEL",
    "test-warn": "WARN",
    "interrupted": "INTERRUPTED",
    "test-error": "ERROR",
    "params": "ERROR",
    "config": "ERROR",
    "host": "ERROR",
    "guest": "ERROR",
}

_IN_PREPARATION = {"test-skip": "SKIP", "test-cancel": "CANCEL", "interrupted": "INTERRUPTED"}


@dataclass
class Finished:
    """How a test ended, by the names that the protocol has for it."""

    outcome: str
    kind: Optional[str] = None
    """What kind of error it was: the library's word, `exception` for any other, `panic`."""
    message: str = ""
    contexts: list[str] = field(default_factory=list)
    location: Optional[str] = None
    output: Optional[str] = None
    backtrace: Optional[str] = None


def of_subtest(kind: str) -> str:
    """What an error of the library means that comes out of a subtest.

    A broken set-up says nothing about what was tested, so it is an ERROR. A machine of a kind that
    cannot be moved or saved is not one for this test, so it is a SKIP. Any other is a FAIL.
    """
    return _IN_SUBTEST.get(kind, "FAIL")


def of_preparation(kind: str) -> str:
    """What an error of the library means that comes before the subtest has begun."""
    return _IN_PREPARATION.get(kind, "ERROR")
