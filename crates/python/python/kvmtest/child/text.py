"""Texts that come from anywhere: guests, exceptions, users."""

from __future__ import annotations

from typing import Optional


def clean(text: str) -> str:
    """`text` as UTF-8 can hold it: bytes that a guest sent and that are none are replaced."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def shortened(text: str, longest: int) -> str:
    """`text` without its middle, where it is longer than `longest`."""
    if len(text) <= longest:
        return text
    head = longest // 4
    tail = longest - head
    return f"{text[:head]}\n[… {len(text) - longest} characters …]\n{text[-tail:]}"


def words(error: BaseException) -> str:
    """What `error` says; nothing of that can be relied on."""
    try:
        text = str(error)
    except BaseException as another:  # noqa: BLE001 (it may be anything, and that is the point)
        return f"(its text cannot be had: {type(another).__name__} in __str__)"
    return text


def last_part(output: Optional[bytes], kept: int = 4 << 10) -> Optional[str]:
    """The end of what the other side said: that is where the news is."""
    if not output:
        return None
    return output[-kept:].decode("utf-8", "replace")
