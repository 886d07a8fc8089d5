"""What a subtest is busy with, as it says by `error.context`: a failure tells it.

Each function that is marked by `context_aware` has a context of its own, which ends with it; what
is said outside of any belongs to the thread. Meanwhile it is what `kvmtest.doing` shows.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, Optional, TypeVar

import kvmtest

_Function = TypeVar("_Function", bound=Callable[..., Any])

_ATTRIBUTE = "_kvmtest_contexts"


def context_aware(function: _Function) -> _Function:
    """Gives `function` a context of its own, which is added to what is raised in it."""

    @functools.wraps(function)
    def aware(*args: Any, **kwargs: Any) -> Any:
        frames = _frames()
        frames.append(_Frame())
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            tell_contexts(error)
            raise
        finally:
            frames.pop().close()

    return aware  # type: ignore[return-value]


def context(text: object = "", log: Optional[Callable[[str], object]] = None) -> None:
    """What is being done from now on; takes the place of what was said before in this function.

    `log` is called with the whole of it. An empty text ends it.
    """
    _frames()[-1].say(str(text))
    _log(log)


def base_context(text: object = "", log: Optional[Callable[[str], object]] = None) -> None:
    """What this function is about: `context` comes after it, and does not take its place."""
    frame = _frames()[-1]
    frame.say("")
    frame.base = str(text)
    _log(log)


def get_context() -> str:
    """What this thread is doing, outermost first, joined by ` --> `."""
    return " --> ".join(_current())


def exception_context(error: BaseException) -> Optional[str]:
    """What was being done when `error` was raised, or `None`."""
    contexts = _of(error)
    return " --> ".join(contexts) if contexts else None


def set_exception_context(error: BaseException, text: str) -> None:
    """Has `error` say that `text` was being done."""
    if isinstance(error, kvmtest.Error):
        error.contexts = [text] if text else []
    else:
        _keep(error, [text] if text else [])


def join_contexts(first: Optional[str], second: Optional[str]) -> str:
    """Two contexts in one text; either may be empty."""
    return " --> ".join(text for text in (first, second) if text)


def keep_contexts(error: BaseException, again: bool = False) -> None:
    """Puts what this thread is doing before what `error` knows already: once, or `again` where it
    comes from another thread."""
    if getattr(error, f"{_ATTRIBUTE}_known", False) and not again:
        return
    current = _current()
    if not current:
        return
    if isinstance(error, kvmtest.Error):
        error.contexts = current + error.contexts
    else:
        _keep(error, current + _of(error))
    _set(error, f"{_ATTRIBUTE}_known", True)


def tell_contexts(error: BaseException) -> BaseException:
    """Adds to `error`, for people to read, what this thread is doing; `error` is given back.

    An exception of kvmtest keeps it in `contexts`; the text of any other gets it at its end.
    """
    keep_contexts(error)
    if not isinstance(error, kvmtest.Error):
        contexts = _of(error)
        if contexts and len(error.args) == 1 and isinstance(error.args[0], str):
            error.args = (f"{error.args[0]} [context: {' --> '.join(contexts)}]",)
            _keep(error, [])
    return error


class _Frame:
    """What one function says."""

    def __init__(self) -> None:
        self.base = ""
        self.text = ""
        self.doing: Optional[kvmtest.Doing] = None

    def say(self, text: str) -> None:
        self.close()
        self.text = text
        if text:
            self.doing = kvmtest.doing(text)
            self.doing.__enter__()

    def texts(self) -> list[str]:
        return [text for text in (self.base, self.text) if text]

    def close(self) -> None:
        if self.doing is not None:
            self.doing.__exit__(None, None, None)
            self.doing = None


_threads = threading.local()


def _frames() -> list[_Frame]:
    """The functions of this thread that have a context, outermost first; never empty."""
    frames: Optional[list[_Frame]] = getattr(_threads, "frames", None)
    if frames is None:
        frames = _threads.frames = [_Frame()]
    return frames


def _current() -> list[str]:
    return [text for frame in _frames() for text in frame.texts()]


def _log(log: Optional[Callable[[str], object]]) -> None:
    if log is not None:
        log(f"Context: {get_context()}")


def _of(error: BaseException) -> list[str]:
    if isinstance(error, kvmtest.Error):
        return error.contexts
    kept: list[str] = getattr(error, _ATTRIBUTE, [])
    return kept


def _keep(error: BaseException, contexts: list[str]) -> None:
    _set(error, _ATTRIBUTE, contexts)


def _set(error: BaseException, name: str, value: object) -> None:
    try:
        setattr(error, name, value)
    except AttributeError:
        pass  # One with `__slots__`: it says less.
