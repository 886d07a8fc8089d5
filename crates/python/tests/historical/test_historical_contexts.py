"""What `error.context` says is found in the failure."""

import kvm_utils
import pytest
from autotest_lib.client.common_lib import error

import kvmtest
from kvmtest.historical import tell_contexts


@pytest.fixture(autouse=True)
def nothing_said():
    yield
    error.base_context("")
    error.context("")


@error.context_aware
def outer(function):
    error.context("outer")
    return function()


@error.context_aware
def inner(failure):
    error.base_context("base")
    error.context("replaced")
    error.context("inner")
    raise failure


CONTEXTS = "[context: outer --> base --> inner]"


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (ValueError("wrong"), f"wrong {CONTEXTS}"),
        (error.TestFail("wrong"), f"wrong {CONTEXTS}"),
        (error.TestNAError("wrong"), f"wrong {CONTEXTS}"),
        (error.CmdError("false"), f"`false` failed {CONTEXTS}"),
        # Nothing to add a text to: it stays what it is.
        (ValueError(), ""),
        (OSError(2, "gone"), "[Errno 2] gone"),
    ],
)
def test_a_failure_says_what_was_being_done(failure, text):
    with pytest.raises(type(failure)) as raised:
        outer(lambda: inner(failure))
    assert str(raised.value) == text


def test_an_error_of_the_library_keeps_its_own():
    failure = kvmtest.VMError("wrong", contexts=["logging in"])
    with pytest.raises(kvmtest.VMError) as raised:
        outer(lambda: inner(failure))
    assert raised.value.contexts == ["outer", "base", "inner", "logging in"]


def test_a_context_ends_with_its_function():
    with pytest.raises(ValueError):
        inner(ValueError())
    assert error.get_context() == ""
    outer(lambda: None)
    assert error.get_context() == ""


def test_outside_of_any_function_it_belongs_to_the_thread():
    error.context("preparing")
    assert error.get_context() == "preparing"
    assert str(tell_contexts(ValueError("wrong"))) == "wrong [context: preparing]"
    failure = kvmtest.TestFail("wrong")
    assert str(tell_contexts(tell_contexts(failure))) == "wrong [context: preparing]"
    assert error.exception_context(failure) == "preparing"


def test_it_is_told_to_a_log():
    lines = []
    error.context("preparing", lines.append)
    assert lines == ["Context: preparing"]


def test_it_is_shown_while_it_lasts():
    shown = []
    kvmtest.listen_doing(shown.append)
    try:
        error.context("preparing something slow")
        with pytest.raises(kvmtest.ExpectTimeoutError):
            kvmtest.ShellSession.spawn(["sleep", "60"]).read_until_output_matches("x", 2.5)
    finally:
        kvmtest.listen_doing(None)
    assert any("preparing something slow" in one for one in shown)


def test_a_thread_says_what_both_did():
    def work():
        error.context("in the thread")
        raise ValueError("wrong")

    error.context("waiting for it")
    thread = kvm_utils.Thread(work)
    thread.start()
    with pytest.raises(ValueError) as raised:
        thread.join()
    tell_contexts(raised.value)
    assert str(raised.value) == "wrong [context: waiting for it --> in the thread]"


def test_what_an_exception_says_can_be_set():
    failure = ValueError("wrong")
    assert error.exception_context(failure) is None
    error.set_exception_context(failure, "doing this")
    assert error.exception_context(failure) == "doing this"


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [("a", "b", "a --> b"), ("a", "", "a"), (None, "b", "b"), (None, None, "")],
)
def test_two_contexts_are_joined(first, second, joined):
    assert error.join_contexts(first, second) == joined


def test_the_function_keeps_its_name_and_result():
    assert outer.__name__ == "outer"
    assert outer(lambda: 5) == 5
