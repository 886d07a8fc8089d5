"""The historical methods of a `QMPMonitor`.

A machine's `monitor` was a human one unless the params said otherwise, and is always QMP here: it
takes the lines of the human monitor, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Optional, Union

from kvmtest import Event, MonitorCommandError, MonitorError, MonitorTimeoutError, QMPMonitor

from ._wait import wait_for

__all__ = [
    "cmd",
    "cmd_obj",
    "cmd_qmp",
    "get_event",
    "get_events",
    "get_greeting",
    "info",
    "migrate",
    "migrate_set_speed",
    "mouse_button",
    "mouse_move",
    "quit",
    "screendump",
    "sendkey",
    "verify_responsive",
]

ALIASES = {"query": "info"}

# How long QEMU may take to finish a migration that is completed.
_FINISHING = 60.0

_cmd = QMPMonitor.cmd

_Arguments = Optional[Mapping[str, Any]]


def cmd(
    self: QMPMonitor,
    command: str,
    arguments: _Arguments = None,
    timeout: Optional[float] = None,
    debug: bool = True,
    *,
    args: _Arguments = None,
    **more: Any,
) -> Any:
    """What QEMU returns for a QMP command; for a line of several words, which no QMP command is,
    what the human monitor answers to it."""
    if " " in command.strip():
        return self.human(command)
    return _cmd(self, command, arguments if args is None else args, timeout, **more)


def cmd_obj(self: QMPMonitor, obj: Any, timeout: Optional[float] = None) -> Any:
    """Sends an object as it is; the whole answer, errors included."""
    if not isinstance(obj, dict) or "id" not in obj:
        return self.cmd_raw(json.dumps(obj))
    # The library tells its own commands' answers by their ids: this one is put in here.
    without = {key: value for key, value in obj.items() if key != "id"}
    return {**self.cmd_raw(json.dumps(without)), "id": obj["id"]}


def cmd_qmp(
    self: QMPMonitor,
    command: str,
    args: _Arguments = None,
    id: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Any:
    """The whole answer to a QMP command, errors included."""
    obj: dict[str, Any] = {"execute": command}
    if args is not None:
        obj["arguments"] = dict(args)
    if id is not None:
        obj["id"] = id
    return cmd_obj(self, obj)


def info(self: QMPMonitor, what: str) -> Any:
    """`query-WHAT`."""
    return _cmd(self, f"query-{what}")


def get_events(self: QMPMonitor) -> list[dict[str, Any]]:
    """The events that are kept, as QEMU sends them."""
    return [_as_sent(event) for event in self.events()]


def get_event(self: QMPMonitor, name: str) -> Optional[dict[str, Any]]:
    """The first event of that name that is kept, as QEMU sends it, or `None`."""
    event = self.event(name)
    return None if event is None else _as_sent(event)


def get_greeting(self: QMPMonitor) -> Any:
    """What QEMU said first."""
    return self.greeting


def quit(self: QMPMonitor) -> None:
    """Ends QEMU. It does not always come to an answer."""
    try:
        _cmd(self, "quit")
    except MonitorCommandError:
        raise
    except MonitorError:
        pass


def screendump(self: QMPMonitor, filename: Union[str, os.PathLike[str]], debug: bool = True) -> Any:
    """Has QEMU write the screen to a file, as PPM."""
    return _cmd(self, "screendump", {"filename": os.fspath(filename)})


def migrate(
    self: QMPMonitor,
    uri: str,
    full_copy: bool = False,
    incremental_copy: bool = False,
    wait: bool = False,
) -> Any:
    """Starts a migration; `wait` waits until it is over, however long that takes."""
    if wait:
        capability = {"capability": "events", "state": True}
        _cmd(self, "migrate-set-capabilities", {"capabilities": [capability]})
        self.clear_events()
    more = {name: True for name, on in (("blk", full_copy), ("inc", incremental_copy)) if on}
    answer = _cmd(self, "migrate", {"uri": uri, **more})
    while wait:
        try:
            event = self.wait_event("MIGRATION")
        except MonitorTimeoutError:
            continue
        wait = event.data["status"] not in ("completed", "failed", "cancelled")
        if not wait:
            # No event tells when the machine takes commands again.
            wait_for(lambda: self.status() != "finish-migrate", _FINISHING, 0.0, 0.01)
    return answer


def migrate_set_speed(self: QMPMonitor, value: Union[int, str]) -> Any:
    """How many bytes a second a migration may send; `value` may have a suffix: `32m`."""
    return self.human(f"migrate_set_parameter max-bandwidth {bytes_of(value)}B")


def sendkey(self: QMPMonitor, keystr: str, hold_time: int = 1) -> str:
    """Presses keys together for `hold_time` milliseconds."""
    return self.human(f"sendkey {keystr} {hold_time}")


def mouse_move(self: QMPMonitor, dx: int, dy: int) -> str:
    """Moves the mouse."""
    return self.human(f"mouse_move {dx} {dy}")


def mouse_button(self: QMPMonitor, state: int) -> str:
    """Presses and releases the buttons of the mouse: 1 the left, 2 the middle, 4 the right."""
    return self.human(f"mouse_button {state}")


def verify_responsive(self: QMPMonitor) -> None:
    """Raises if it does not answer."""
    self.status()


def _as_sent(event: Event) -> dict[str, Any]:
    seconds = int(event.time)
    microseconds = round((event.time - seconds) * 1_000_000)
    sent: dict[str, Any] = {
        "event": event.name,
        "timestamp": {"seconds": seconds, "microseconds": microseconds},
    }
    if event.data:
        sent["data"] = event.data
    return sent


def bytes_of(value: Union[int, str]) -> int:
    """A number of bytes, which may have a suffix."""
    text = str(value).strip().lower()
    factors = {"k": 2**10, "m": 2**20, "g": 2**30}
    if text[-1:] in factors:
        return int(float(text[:-1]) * factors[text[-1]])
    return int(text)
