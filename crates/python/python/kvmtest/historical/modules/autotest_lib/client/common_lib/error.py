"""Historical names: the exceptions, and what a failure says of what was being done.

`TestFail`, `TestError`, `TestNAError` and `TestWarn` are those of `kvmtest`: what they lead to is
written there.
"""

from __future__ import annotations

import traceback
from typing import Any

from kvmtest import Error, TestError, TestFail, TestNAError, TestWarn, Verdict
from kvmtest.historical import _attach, _left_out
from kvmtest.historical._context import (
    base_context,
    context,
    context_aware,
    exception_context,
    get_context,
    join_contexts,
    set_exception_context,
)
from kvmtest.historical._errors import (
    AutotestError,
    CmdError,
    JobError,
    UnhandledTestError,
    UnhandledTestFail,
)

__all__ = [
    "AutotestError",
    "CmdError",
    "Error",
    "JobError",
    "TestBaseException",
    "TestError",
    "TestFail",
    "TestNAError",
    "TestWarn",
    "UnhandledTestError",
    "UnhandledTestFail",
    "base_context",
    "context",
    "context_aware",
    "exception_context",
    "format_error",
    "get_context",
    "join_contexts",
    "set_exception_context",
]

TestBaseException = Verdict

_attach.attach()


def format_error() -> str:
    """The traceback of the exception that is being handled."""
    return traceback.format_exc()


def __getattr__(name: str) -> Any:
    return _left_out.refuse("error", name)
