"""The plugin for pytest, run by pytest."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["pytester"]

# `pytester` gives its processes another home, in which there are no guests.
CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A pytest in a process of its own, with the plugin."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)
    return pytester


def run(inner: pytest.Pytester, text: str) -> pytest.RunResult:
    inner.makepyfile(text)
    loaded = inner.runpytest_subprocess("--trace-config", "-q", "--co")
    named = "kvmtest.pytest_plugin" in loaded.stdout.str()
    # Laid out beside the program the package has no entry point: it is named then.
    arguments = [] if named else ["-p", "kvmtest.pytest_plugin"]
    return inner.runpytest_subprocess("-q", *arguments)


def test_a_machine_is_there_and_kept_for_tests_that_want_the_same(
    guest: str, inner: pytest.Pytester
) -> None:
    result = run(
        inner,
        """
        import pytest

        boots = []

        def boot_id(vm):
            return vm.wait_for_login().cmd("cat /proc/sys/kernel/random/boot_id")

        def test_one(vm):
            boots.append(boot_id(vm))

        def test_two(vm, kvmtest_env):
            assert boot_id(vm) == boots[0]
            assert [machine.name for machine in kvmtest_env.get_all_vms()] == [vm.name]

        @pytest.mark.kvmtest(mem=300)
        def test_three(vm):
            assert vm.params["mem"] == "300"
            assert boot_id(vm) != boots[0]
        """,
    )
    result.assert_outcomes(passed=3)


def test_a_failure_shows_the_console_and_costs_the_machine(
    guest: str, inner: pytest.Pytester
) -> None:
    result = run(
        inner,
        """
        boots = []

        def boot_id(vm):
            return vm.wait_for_login().cmd("cat /proc/sys/kernel/random/boot_id")

        def test_fails(vm):
            boots.append(boot_id(vm))
            assert False

        def test_gets_another(vm):
            assert boot_id(vm) != boots[0]
        """,
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*console of vm1*"])


def test_a_skip_of_ours_is_one_of_pytests(inner: pytest.Pytester) -> None:
    result = run(
        inner,
        """
        import kvmtest

        def test_it():
            raise kvmtest.TestSkip("needs two NICs")
        """,
    )
    result.assert_outcomes(skipped=1)


def test_params_without_names_are_refused(inner: pytest.Pytester) -> None:
    result = run(
        inner,
        """
        import pytest

        @pytest.mark.kvmtest("small")
        def test_it(vm):
            pass
        """,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*takes params by name, not ('small',)*"])
