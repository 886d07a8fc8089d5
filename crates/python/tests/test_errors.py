"""Exceptions: a class for each kind, with its parts."""

from __future__ import annotations

import inspect
import pickle

import pytest

import kvmtest
from kvmtest import errors
from processes import run_python

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_exception_is_public_and_pickled_whole(kind: type[kvmtest.Error]) -> None:
    assert issubclass(kind, kvmtest.Error)
    assert getattr(kvmtest, kind.__name__) is kind
    error = kind("no", contexts=["outer", "inner"], output=b"\xff", status=3)
    assert str(error) == "no [context: outer --> inner]"
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is kind
    assert (twin.message, twin.kind, twin.contexts, twin.output, twin.status) == (
        "no",
        error.kind,
        ["outer", "inner"],
        b"\xff",
        3,
    )
    assert str(twin) == str(error)


def test_kinds_are_the_librarys() -> None:
    kinds = {one.kind for one in CLASSES}
    assert {"login-timeout", "vm-create", "expect-terminated", "test-skip", "io"} <= kinds
    assert errors._of_kind("from-the-future", False) is kvmtest.Error


@pytest.mark.parametrize("text", ["\udcff", "a\nb", "", "ключ"])
def test_a_message_may_be_any_text(text: str) -> None:
    error = kvmtest.TestFail(text)
    assert error.message == text and str(error) == text
    assert text in pickle.loads(pickle.dumps(error)).message
    assert repr(error).startswith("TestFail(")


def test_what_the_library_says_arrives_whole(shell: kvmtest.ShellSession) -> None:
    with pytest.raises(kvmtest.ShellTimeoutError) as caught:
        shell.cmd("printf 'a\\377b'; sleep 60", timeout=3)
    error = caught.value
    assert error.kind == "shell-timeout"
    assert error.output is not None and b"a\xffb" in error.output
    assert "did not end within" in error.message
    with pytest.raises(kvmtest.VMMissingError) as missing:
        with kvmtest.Env() as env:
            env.define_vm("vm1")
    assert "no VM is called `vm1`" in str(missing.value)


def test_a_panic_is_no_exception() -> None:
    # In an interpreter of its own: it prints.
    done = run_python(
        """
        import kvmtest._kvmtest
        try:
            try:
                kvmtest._kvmtest._panic("out of order")
            except Exception:
                print("swallowed")
        except BaseException as error:
            print(type(error).__name__, error)
        """
    )
    assert done.stdout == "PanicException out of order\n", done.stderr
