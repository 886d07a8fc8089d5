"""Exceptions that only the historical names know."""

from __future__ import annotations

from typing import Any, Optional

from kvmtest import Error, TestError, TestFail

AutotestError = Error


class JobError(TestError):
    """Nothing can go on. Ends the subtest as `TestError` does: a run has other tests, too."""


class CmdError(TestError):
    """A command on the host failed: `command`, `result_obj`, `additional_text`."""

    command: str
    result_obj: Any
    additional_text: Optional[str]

    def __init__(
        self, command: str, result_obj: Any = None, additional_text: Optional[str] = None
    ) -> None:
        """That `command` ended as `result_obj` (a `CmdResult`) says."""
        status = getattr(result_obj, "exit_status", None)
        said = (getattr(result_obj, "stderr", "") or "").strip()
        message = f"`{command}` failed" if status is None else f"`{command}` ended with {status}"
        for more in (additional_text, said[-500:]):
            if more:
                message += f": {more}"
        super().__init__(message, status=status)
        self.command = command
        self.result_obj = result_obj
        self.additional_text = additional_text


class UnhandledTestError(TestError):
    """A `TestError` that stands for another exception."""


class UnhandledTestFail(TestFail):
    """A `TestFail` that stands for another exception."""
