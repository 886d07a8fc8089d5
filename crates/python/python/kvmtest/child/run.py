"""Runs a subtest and says how that ended."""

from __future__ import annotations

import importlib.util
import inspect
import logging
import os
import sys
from typing import Any, Callable, Optional

import kvmtest
from kvmtest import historical

from . import outcome, signals, stack, threads
from .events import Events
from .outcome import Finished
from .request import Request
from .text import last_part, shortened, words

LONGEST_MESSAGE = 4 << 10
"""Characters of a message; the traceback has more of it."""

Subtest = Callable[[kvmtest.Test, kvmtest.Params, kvmtest.Env], Any]


def run(request: Request, events: Events) -> Finished:
    """Runs the subtest that is asked for; whatever comes out of it becomes a verdict."""
    signals.end_when_asked()
    _log_to(os.path.join(request.identity["results_dir"], "debug.log"))
    kvmtest.listen_doing(lambda what: events.send({"event": "doing", "what": what}))
    kvmtest.listen_perturbed(
        lambda kind, what: events.send({"event": "perturbed", "kind": kind, "what": what})
    )
    if "stall_factor" in request.params:
        kvmtest.set_stall_factor(request.params.get_int("stall_factor"))
    file = os.path.abspath(request.file)
    try:
        finished = _run(request, events, file)
    except BaseException as error:  # noqa: BLE001 (a subtest may raise anything)
        finished = _of_exception(error, file, "FAIL")
    signals.leave_alone()
    kvmtest.log("info", f"finished: {finished.outcome} {finished.message}")
    return finished


def _run(request: Request, events: Events, file: str) -> Finished:
    try:
        subtest = _load(request.subtest, file)
        env = kvmtest.Env.open(request.env, request.params, request.identity["results_dir"])
    except (kvmtest.Interrupted, SystemExit):
        raise
    except kvmtest.Error as error:
        finished = _of_exception(error, file, "ERROR")
        finished.outcome = outcome.of_preparation(error.kind)
        return finished
    except BaseException as error:  # noqa: BLE001 (so may a module while it is read)
        return _of_exception(error, file, "ERROR")

    def say(note: dict[str, str]) -> None:
        text = note.get("message") or f"{note.get('key')} = {note.get('value')}"
        kvmtest.log("warning" if note["note"] == "warning" else "info", text)
        events.send({"event": "note", "note": note})

    test = kvmtest.Test(request.identity, say, file)
    if not _takes(subtest, 3):
        message = (
            f"`run_{request.subtest}{inspect.signature(subtest)}` cannot be called: a subtest is "
            f"`run_{request.subtest}(test, params, env)`"
        )
        line = stack.definition(subtest, file)
        return Finished("ERROR", kind="exception", message=message, location=line)
    died = threads.watch()
    result = subtest(test, request.params, env)
    if inspect.iscoroutine(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
        if inspect.iscoroutine(result):
            result.close()
        message = (
            f"nothing of `run_{request.subtest}` was run: it is `async` or has a `yield`, and a "
            "subtest is an ordinary function"
        )
        line = stack.definition(subtest, file)
        return Finished("ERROR", kind="exception", message=message, location=line)
    if died:
        name, raised = died[0]
        finished = _of_exception(raised, file, "FAIL")
        finished.message = f"in the thread `{name}`: {finished.message}"
        return finished
    return Finished("PASS")


def _load(name: str, file: str) -> Subtest:
    """The function `run_NAME` in `file`."""
    sys.dont_write_bytecode = True
    # Behind everything else: a subtest may be called like a module of the standard library.
    sys.path += [os.path.dirname(file), historical.path()]
    spec = importlib.util.spec_from_file_location(f"subtest_{name}", file)
    if spec is None or spec.loader is None:
        raise kvmtest.TestError(f"{file} is no file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    function: Optional[Subtest] = getattr(module, f"run_{name}", None)
    if not callable(function):
        raise kvmtest.TestError(f"{file} has no function `run_{name}(test, params, env)`")
    return function


def _takes(function: Subtest, count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        # Some callables have no signature that can be told.
        pass
    return True


def _of_exception(error: BaseException, file: str, usual: str) -> Finished:
    """The verdict that `error` is; `usual` is that of one which is none of the library's."""
    historical.tell_contexts(error)
    finished = Finished(usual, kind="exception", location=stack.location(error, file))
    finished.message = f"{type(error).__name__}: {shortened(words(error), LONGEST_MESSAGE)}"
    if isinstance(error, kvmtest.Error):
        finished.outcome = outcome.of_subtest(error.kind)
        finished.kind = error.kind
        finished.message = shortened(error.message, LONGEST_MESSAGE)
        finished.contexts = list(error.contexts)
        finished.output = last_part(error.output)
        if isinstance(error, kvmtest.Verdict):
            return finished
    elif isinstance(error, AssertionError):
        finished.kind = "test-fail"
        finished.message = shortened(words(error), LONGEST_MESSAGE) or "an assertion does not hold"
    elif isinstance(error, KeyboardInterrupt):
        return Finished("INTERRUPTED", kind="interrupted", message="interrupted")
    elif isinstance(error, SystemExit):
        finished.outcome = "ERROR"
        finished.message = (
            f"the subtest called `sys.exit({error.code!r})`: it passes by returning, and "
            "`test.fail`, `test.error` and `test.skip` are the other ends"
        )
    elif type(error).__name__ == "PanicException":
        finished.kind = "panic"
    finished.backtrace = stack.backtrace(error, file)
    return finished


def _log_to(path: str) -> None:
    """What the library traces and what Python logs, in one file."""
    kvmtest.start_log(path)
    root = logging.getLogger()
    root.addHandler(_ToLog())
    root.setLevel(logging.DEBUG)


class _ToLog(logging.Handler):
    """Passes on what Python's `logging` is told."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a line to the log."""
        try:
            text = f"{record.name}: {record.getMessage()}"
        except Exception:  # noqa: BLE001 (an argument's __str__ may do anything)
            text = f"{record.name}: {record.msg!r}"
        if record.levelno >= logging.ERROR:
            kvmtest.log("error", text)
        elif record.levelno >= logging.WARNING:
            kvmtest.log("warning", text)
        elif record.levelno >= logging.INFO:
            kvmtest.log("info", text)
        else:
            kvmtest.log("debug", text)
