"""Threads whose failures are not lost."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional, Union

from . import _context

_Target = Union[
    Callable[[], object],
    tuple[Callable[..., object]],
    tuple[Callable[..., object], tuple[Any, ...]],
    tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]],
]


class Thread(threading.Thread):
    """A thread whose `join` returns what its function returned, or raises what it raised."""

    def __init__(
        self,
        target: Callable[..., object],
        args: tuple[Any, ...] = (),
        kwargs: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """A thread for `target(*args, **kwargs)`, to be started."""
        super().__init__(name=getattr(target, "__name__", None), daemon=True)
        self._call = functools.partial(target, *args, **(kwargs or {}))
        self._result: object = None
        self._error: Optional[BaseException] = None

    def run(self) -> None:
        """What the thread does."""
        try:
            self._result = self._call()
        except BaseException as error:
            # What this thread was doing is said now: it is over when somebody asks.
            _context.keep_contexts(error)
            self._error = error

    def join(
        self, timeout: Optional[float] = None, suppress_exception: bool = False
    ) -> Any:
        """Waits for its end, no longer than `timeout`: what the function returned, or raises what
        it raised unless `suppress_exception`. Not in time, or not started: `None`."""
        super().join(timeout)
        if self._error is None:
            return self._result
        if suppress_exception:
            return None
        error, self._error = self._error, None
        _context.keep_contexts(error, again=True)
        raise error


def parallel(targets: Iterable[_Target]) -> list[Any]:
    """Runs functions at one time, each in a thread: what they return, in order.

    Each is a function, or a tuple of one with a tuple of arguments and a dictionary of named
    ones, which may be left out. All are waited for before the first failure is raised.
    """
    threads = []
    for target in targets:
        threads.append(Thread(*target) if isinstance(target, tuple) else Thread(target))
    for thread in threads:
        thread.start()
    results = []
    failure: Optional[BaseException] = None
    for thread in threads:
        try:
            results.append(thread.join())
        except BaseException as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return results
