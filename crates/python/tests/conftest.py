"""What the tests share: a runtime directory of their own, shells, a machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import kvmtest
from processes import raw_cat


@pytest.fixture(scope="session", autouse=True)
def runtime() -> Iterator[Path]:
    """A runtime directory of our own, so that nobody else's machines are in it."""
    with tempfile.TemporaryDirectory(prefix="kvmtest-python-") as place:
        before = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = place
        yield Path(place)
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


@pytest.fixture
def shell() -> Iterator[kvmtest.ShellSession]:
    """A shell on this host."""
    with kvmtest.ShellSession.spawn(["/bin/sh"], name="shell") as session:
        yield session


@pytest.fixture
def cat() -> Iterator[kvmtest.ShellSession]:
    """What says again what it was told, letter by letter."""
    with raw_cat() as session:
        yield session


@pytest.fixture(scope="session")
def guest() -> str:
    """The name of a guest that boots here."""
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("QEMU is not installed")
    try:
        found = subprocess.run([kvmtest.program(), "guest", "list"], capture_output=True, text=True)
    except kvmtest.HostError as error:
        pytest.skip(str(error))
    if "small" not in found.stdout:
        pytest.skip("the guest `small` is not built: run `kvmtest guest build small`")
    return "small"


@pytest.fixture(scope="module")
def vm(guest: str) -> Iterator[kvmtest.VM]:
    """A machine that several tests use."""
    with kvmtest.VM.boot(guest) as machine:
        yield machine
