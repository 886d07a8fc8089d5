"""The face of the package: stubs, docstrings, names."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import kvmtest

PACKAGE = Path(kvmtest.__file__).parent


def members() -> list[tuple[str, object]]:
    """Everything public, with its name."""
    found: list[tuple[str, object]] = []
    for name in kvmtest.__all__:
        thing = getattr(kvmtest, name)
        found.append((name, thing))
        if inspect.isclass(thing):
            for inner, member in vars(thing).items():
                if not inner.startswith("_") and (callable(member) or inspect.isdatadescriptor(member)
                                                  or isinstance(member, (staticmethod, classmethod))):
                    found.append((f"{name}.{inner}", member))
    return found


def test_everything_public_is_there() -> None:
    assert len(set(kvmtest.__all__)) == len(kvmtest.__all__)
    for name in kvmtest.__all__:
        assert hasattr(kvmtest, name)


def test_everything_public_has_a_docstring() -> None:
    bare = [
        name
        for name, thing in members()
        if name not in ("__version__", "Monitor") and not (inspect.getdoc(thing) or "").strip()
    ]
    assert bare == []


def test_help_is_worth_reading() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import kvmtest; help(kvmtest); help(kvmtest.VM)"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PAGER": "cat"},
    )
    for words in ("A machine of one's own", "wait_for_login(self, /, timeout=None)"):
        assert words in done.stdout, done.stderr


def mypy(module: str, *arguments: str, place: "Path | None" = None) -> "subprocess.CompletedProcess[str]":
    pytest.importorskip("mypy")
    around = str(PACKAGE.parent)
    # Where it was installed it is found anyhow, and mypy refuses to be told of that place.
    told = {} if PACKAGE.parent.name == "site-packages" else {"MYPYPATH": around}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        cwd=place or tempfile.gettempdir(),
        env={**os.environ, "PYTHONPATH": around, **told},
    )


def test_the_package_is_typed() -> None:
    done = mypy("mypy", "--strict", "-p", "kvmtest")
    assert done.returncode == 0, done.stdout


def test_the_stubs_are_the_extensions() -> None:
    done = mypy("mypy.stubtest", "kvmtest._kvmtest", "--ignore-disjoint-bases")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_users_write_is_checked(tmp_path: Path) -> None:
    good = """
import kvmtest

def run_x(test: kvmtest.Test, params: kvmtest.Params, env: kvmtest.Env) -> None:
    vm = env.get_living_vm(params["main_vm"])
    with vm.wait_for_login(params.get_duration("login_timeout", 240.0)) as session:
        status, output = session.cmd_status_output("uname -r", timeout=5)
        reveal: int = status
        text: str = output
    if not vm.is_alive():
        test.fail("dead")
"""
    (tmp_path / "good.py").write_text(good)
    done = mypy("mypy", "--strict", "good.py", place=tmp_path)
    assert done.returncode == 0, done.stdout
    (tmp_path / "bad.py").write_text(good + "\nkvmtest.VM.boot(5)\nkvmtest.Params().attribute\n")
    done = mypy("mypy", "--strict", "bad.py", place=tmp_path)
    assert "incompatible type" in done.stdout and "attribute" in done.stdout
