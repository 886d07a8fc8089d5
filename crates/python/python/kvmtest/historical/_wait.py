"""Waiting for something that nobody tells of."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Optional, TypeVar

_T = TypeVar("_T")


def wait_for(
    func: Callable[[], _T],
    timeout: float,
    first: float = 0.0,
    step: float = 1.0,
    text: Optional[str] = None,
) -> Optional[_T]:
    """Calls `func` until what it returns is true, and returns that; `None` after `timeout`.

    It is called after `first` seconds, then every `step`, and at least once. `text` goes to the
    log at each try.
    """
    begun = time.monotonic()
    time.sleep(first)
    while True:
        if text:
            logging.debug("%s (%.1f s)", text, time.monotonic() - begun)
        result = func()
        if result:
            return result
        left = begun + timeout - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(step, left))
