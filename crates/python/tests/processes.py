"""Processes that the tests start: shells, and interpreters of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import kvmtest


def raw_cat(log: "Path | None" = None) -> kvmtest.ShellSession:
    """What says again what it was told: on a terminal that keeps nothing back."""
    script = "stty raw -echo; printf ready; exec cat"
    session = kvmtest.ShellSession.spawn(["/bin/sh", "-c", script], name="cat", log=log)
    session.read_until_output_matches("ready", 60)
    return session


def run_python(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs a script in an interpreter of its own, with the same package."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """The environment in which a script finds the same package."""
    package = Path(kvmtest.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": str(package)}
