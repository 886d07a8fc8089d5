"""Machines for tests that pytest runs: the fixtures `kvmtest_env` and `vm`.

::

    import pytest

    def test_kernel(vm):
        assert vm.wait_for_login().cmd("uname -s").strip() == "Linux"

    @pytest.mark.kvmtest(mem=512, smp=2)
    def test_two_processors(vm):
        assert vm.wait_for_login().cmd("nproc").strip() == "2"

A machine is kept from one test to the next as long as the tests want the same and pass; it ends
with the session at the latest. What its console showed last is added to the report of a test that
fails.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest

import kvmtest

__all__ = ["kvmtest_env", "vm"]

NAME = "vm1"

_USED = pytest.StashKey[kvmtest.VM]()


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line(
        "markers", "kvmtest(**params): the params of the machine `vm`, as `VM.boot` takes them"
    )


@pytest.fixture(scope="session")
def kvmtest_env() -> Iterator[kvmtest.Env]:
    """An environment of this session's own, with the params that every test starts from."""
    with kvmtest.Env(kvmtest.default_params(guest="small")) as env:
        yield env


@pytest.fixture
def vm(request: pytest.FixtureRequest, kvmtest_env: kvmtest.Env) -> kvmtest.VM:
    """A living machine, by the params of the marker `kvmtest`: the guest boots meanwhile."""
    params = kvmtest_env.params.copy()
    for marker in reversed(list(request.node.iter_markers("kvmtest"))):
        if marker.args:
            raise pytest.UsageError(
                f"{request.node.nodeid}: `kvmtest` takes params by name, not {marker.args!r}"
            )
        params.update(marker.kwargs)
    machine = kvmtest_env.get_vm(NAME)
    if machine is None or not machine.is_alive() or machine.params != params:
        machine = kvmtest_env.create_vm(NAME, params)
    request.node.stash[_USED] = machine
    return machine


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, Any, None]:
    """Adds the end of the console to a failure, and gives the next test another machine."""
    if call.excinfo is not None and isinstance(call.excinfo.value, kvmtest.TestSkip):
        skipped = pytest.skip.Exception(str(call.excinfo.value))
        call.excinfo = pytest.ExceptionInfo.from_exc_info((type(skipped), skipped, call.excinfo.tb))
    outcome = yield
    report = outcome.get_result()
    machine = item.stash.get(_USED, None)
    if machine is None or not report.failed:
        return
    try:
        tail = machine.console_tail(2048).decode("utf-8", "replace")
        report.sections.append((f"console of {machine.name}", _printable(tail)))
        if (ending := machine.ending()) is not None:
            report.sections.append((f"the end of {machine.name}", ending))
        machine.destroy(gracefully=False)
    except kvmtest.Error as error:
        report.sections.append((f"{machine.name}", str(error)))


def _printable(text: str) -> str:
    """`text` without what could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "" for c in text)
