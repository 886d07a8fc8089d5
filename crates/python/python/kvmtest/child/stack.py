"""Where in a subtest an exception came from."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, Optional

from .text import shortened

LONGEST = 64 << 10
"""Characters of a traceback that are kept."""

_HERE = os.path.dirname(os.path.abspath(__file__))


def location(error: BaseException, file: str) -> Optional[str]:
    """The innermost line of the subtest: `foo.py:7`."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        if os.path.abspath(error.filename) == file and error.lineno is not None:
            return f"{_shown(file)}:{error.lineno}"
    own = [frame for frame in traceback.extract_tb(_tail(error)) if frame.filename == file]
    return f"{_shown(file)}:{own[-1].lineno}" if own else None


def definition(function: Callable[..., Any], file: str) -> Optional[str]:
    """The line on which `function` begins: `foo.py:3`."""
    code = getattr(function, "__code__", None)
    if code is None or os.path.abspath(code.co_filename) != file:
        return None
    return f"{_shown(file)}:{code.co_firstlineno}"


def backtrace(error: BaseException, file: str) -> str:
    """The traceback, the subtest's own lines first."""
    tail = _tail(error)
    frames = traceback.extract_tb(tail)
    own = [
        f"{_shown(file)}:{frame.lineno} in {frame.name}: {frame.line}"
        for frame in frames
        if frame.filename == file
    ]
    try:
        whole = "".join(traceback.format_exception(type(error), error, tail))
    except BaseException as another:  # noqa: BLE001 (an exception's parts may be anything)
        listed = "".join(traceback.format_list(frames))
        whole = f"{listed}{type(error).__name__} (not told: {type(another).__name__})\n"
    first = "\n".join(own[-20:])
    return shortened(f"{first}\n\n{whole}" if own else whole, LONGEST)


def _tail(error: BaseException) -> Optional[TracebackType]:
    """The traceback from where the subtest begins: how it is called is nobody's concern."""
    tail = error.__traceback__
    while tail is not None and _is_ours(tail.tb_frame.f_code.co_filename):
        tail = tail.tb_next
    return tail


def _is_ours(filename: str) -> bool:
    return filename.startswith((_HERE, "<frozen importlib"))


def _shown(file: str) -> str:
    """As a person would name it who is in the working directory."""
    here = os.path.relpath(file)
    return file if here.startswith("..") else here
