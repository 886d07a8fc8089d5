"""The test object, and where the program is."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

import kvmtest
from kvmtest import Test
from processes import run_python


def test_its_attributes() -> None:
    identity = {
        "name": "small.boot",
        "shortname": "boot",
        "subtest": "boot",
        "iteration": 2,
        "results_dir": "/r",
        "scratch_dir": "/s",
    }
    test = Test(identity, file="/tests/boot.py")
    assert (test.name, test.shortname, test.subtest, test.iteration) == (
        "small.boot",
        "boot",
        "boot",
        2,
    )
    assert {test.results_dir, test.resultsdir, test.outputdir, test.debugdir} == {"/r"}
    assert {test.scratch_dir, test.tmpdir} == {"/s"}
    assert {test.bindir, test.srcdir, test.virtdir} == {"/tests"}
    assert "boot" in repr(test)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("fail", kvmtest.TestFail),
        ("error", kvmtest.TestError),
        ("skip", kvmtest.TestNAError),
        ("cancel", kvmtest.TestCancel),
    ],
)
def test_its_verdicts_raise(word: str, kind: type[kvmtest.Error]) -> None:
    with pytest.raises(kind, match="because") as caught:
        getattr(Test(), word)("because \udcff")
    assert caught.value.message == "because \udcff"
    assert isinstance(caught.value, kvmtest.Verdict)


def test_what_it_says_goes_to_its_sink() -> None:
    notes: list[dict[str, str]] = []
    test = Test(sink=notes.append)
    test.log("a")
    test.warn(5)
    test.write_keyval("k", 1)
    test.write_test_keyval({"x": "y"})
    assert notes == [
        {"note": "log", "message": "a"},
        {"note": "warning", "message": "5"},
        {"note": "key-value", "key": "k", "value": "1"},
        {"note": "key-value", "key": "x", "value": "y"},
    ]


def test_without_a_sink_it_goes_to_logging(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    test = Test()
    test.log("a")
    test.warn("b")
    test.write_keyval("k", "v")
    assert [record.getMessage() for record in caplog.records] == ["a", "b", "k = v"]


def test_the_program_is_found_beside_the_package_or_on_the_path(tmp_path: Path) -> None:
    package = Path(kvmtest.__file__).parent
    laid_out = tmp_path / "python"
    laid_out.mkdir()
    (laid_out / "kvmtest").symlink_to(package)
    script = "import kvmtest; print(kvmtest.program())"
    fake = tmp_path / "bin" / "kvmtest"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\n")
    before = os.environ["PATH"]
    os.environ["PATH"] = f"relative:{fake.parent}"
    try:
        fake.chmod(0o644)
        not_executable = run_python(script)
        fake.chmod(0o755)
        on_path = run_python(script)
    finally:
        os.environ["PATH"] = before
    assert not_executable.stdout.strip() != str(fake)
    if not_executable.returncode:
        # It was not built beside the package.
        assert "neither beside this package" in not_executable.stderr
        assert on_path.stdout.strip() == str(fake)
    else:
        assert on_path.stdout == not_executable.stdout
