"""The test as a subtest sees it: where its files lie, and the words by which it gives a verdict."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Optional, Union

from .errors import TestCancel, TestError, TestFail, TestSkip

__all__ = ["Test"]

Note = dict[str, str]
"""What a subtest says while it runs, as the child protocol writes it: `note` is `log`, `warning`
(both with `message`) or `key-value` (with `key` and `value`)."""


class Test:
    """The running test."""

    __test__ = False  # It is none of pytest's.

    name: str
    """The full name of the variant, labels joined by dots."""
    shortname: str
    """The short name of the variant: what a person types and reads."""
    subtest: str
    """The name of the subtest: `boot` for `run_boot`."""
    iteration: int
    """Which repetition this is, counted from 1."""
    results_dir: str
    """Everything that the test leaves for people to read goes here."""
    scratch_dir: str
    """Private to this test, and removed when it has ended."""
    bindir: str
    """The folder in which the subtest's own file lies; `srcdir` and `virtdir` are other names."""

    def __init__(
        self,
        identity: Optional[Mapping[str, Any]] = None,
        sink: Optional[Callable[[Note], object]] = None,
        file: Optional[Union[str, os.PathLike[str]]] = None,
    ) -> None:
        """A test that hands what it says to `sink`, or to `logging` if there is none.

        `identity` has `name`, `shortname`, `subtest`, `iteration`, `results_dir` and
        `scratch_dir`; `file` is the subtest's.
        """
        identity = identity or {}
        self.name = str(identity.get("name", ""))
        self.shortname = str(identity.get("shortname", self.name))
        self.subtest = str(identity.get("subtest", ""))
        self.iteration = int(identity.get("iteration", 1))
        self.results_dir = str(identity.get("results_dir", ""))
        self.scratch_dir = str(identity.get("scratch_dir", ""))
        self.bindir = os.path.dirname(os.path.abspath(file)) if file is not None else ""
        self._sink = sink or _to_logging

    @property
    def resultsdir(self) -> str:
        """The historical name of `results_dir`."""
        return self.results_dir

    @property
    def outputdir(self) -> str:
        """A historical name of `results_dir`."""
        return self.results_dir

    @property
    def debugdir(self) -> str:
        """A historical name of `results_dir`."""
        return self.results_dir

    @property
    def tmpdir(self) -> str:
        """The historical name of `scratch_dir`."""
        return self.scratch_dir

    @property
    def srcdir(self) -> str:
        """A historical name of `bindir`."""
        return self.bindir

    @property
    def virtdir(self) -> str:
        """A historical name of `bindir`."""
        return self.bindir

    def fail(self, why: object) -> NoReturn:
        """What was tested is wrong: `test.fail("the guest lost its disk")`."""
        raise TestFail(why)

    def error(self, why: object) -> NoReturn:
        """The test could not be carried out: `test.error("no free port")`."""
        raise TestError(why)

    def skip(self, why: object) -> NoReturn:
        """Not applicable here: `test.skip("needs two NICs")`."""
        raise TestSkip(why)

    def cancel(self, why: object) -> NoReturn:
        """Given up on purpose: `test.cancel("the lab is closing")`."""
        raise TestCancel(why)

    def warn(self, message: object) -> None:
        """Bad, but no failure: the test goes on, and ends as WARN if nothing worse comes."""
        self._sink({"note": "warning", "message": str(message)})

    def log(self, message: object) -> None:
        """A line for the log."""
        self._sink({"note": "log", "message": str(message)})

    def write_keyval(self, key: object, value: object) -> None:
        """Keeps a fact with the result."""
        self._sink({"note": "key-value", "key": str(key), "value": str(value)})

    def write_test_keyval(self, facts: Mapping[object, object]) -> None:
        """Keeps several facts with the result."""
        for key, value in facts.items():
            self.write_keyval(key, value)

    def __repr__(self) -> str:
        """Its name."""
        return f"<Test {self.shortname!r}>"


def _to_logging(note: Note) -> None:
    logger = logging.getLogger("kvmtest.test")
    if note["note"] == "warning":
        logger.warning("%s", note["message"])
    elif note["note"] == "log":
        logger.info("%s", note["message"])
    else:
        logger.info("%s = %s", note["key"], note["value"])
