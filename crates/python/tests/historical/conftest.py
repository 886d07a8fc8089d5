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


@pytest.fixture(scope="session")
def vm():
    """A running guest; where there is none to run, what needs it is skipped."""
    try:
        kvmtest.program()
        machine = kvmtest.VM.boot("small")
    except (kvmtest.HostError, kvmtest.GuestError) as error:
        pytest.skip(str(error))
    with machine:
        yield machine
