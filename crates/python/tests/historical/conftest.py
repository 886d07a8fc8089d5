"""Has the historical modules found, as the runner does inside a subtest."""

import sys

import pytest

import kvmtest
import kvmtest.historical

if kvmtest.historical.path() not in sys.path:
    sys.path.append(kvmtest.historical.path())


@pytest.fixture
def shell():
    """A shell on this host, as a session."""
    import kvm_subprocess

    with kvm_subprocess.ShellSession("sh") as session:
        yield session
