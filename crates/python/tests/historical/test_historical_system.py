"""Clocks, services, interfaces and ping, with what guests print played by this host."""

import kvm_test_utils
import pytest

import kvmtest


class Printing:
    """A session whose commands print what was prepared, in turn; the last one again and again."""

    def __init__(self, *outputs):
        self.outputs = list(outputs)
        self.commands = []

    def cmd_output(self, command, timeout=None):
        self.commands.append(command)
        return self.outputs.pop(0) if len(self.outputs) > 1 else self.outputs[0]


def test_the_guests_time_is_taken_from_what_it_prints(shell):
    host, guest = kvm_test_utils.get_time(
        shell, "date '+%Y-%m-%d %H:%M:%S'", r"(\d.*\d)", "%Y-%m-%d %H:%M:%S"
    )
    assert abs(host - guest) < 60


def test_a_fraction_is_a_second_group():
    session = Printing("TIME: 2020-01-01 00:00:00.25")
    _, guest = kvm_test_utils.get_time(
        session, "date", r"TIME: (.*)\.(\d+)", "%Y-%m-%d %H:%M:%S"
    )
    assert guest % 1 == 0.25


@pytest.mark.parametrize(
    ("command", "output", "pattern", "form", "offset"),
    [
        (
            "ntpdate -d server",
            "1 Jan 2020 00:00:00 ntpdate[1]: adjust time server 10.0.2.2 offset -1.500000 sec",
            r"^(.*) ntpdate",
            "%d %b %Y %H:%M:%S",
            -1.5,
        ),
        (
            "w32tm /stripchart",
            "2020-01-01 00:00:00 d:+00.0s o:+02.5s",
            r"^(\S+ \S+)",
            "%Y-%m-%d %H:%M:%S",
            2.5,
        ),
    ],
)
def test_what_asks_a_server_prints_how_far_off_it_is(command, output, pattern, form, offset):
    host, guest = kvm_test_utils.get_time(Printing(output), command, pattern, form)
    assert host - guest == pytest.approx(offset)


@pytest.mark.parametrize("output", ["", "no time at all", "TIME: yesterday"])
def test_no_time_is_an_error(output):
    with pytest.raises(kvmtest.TestError, match="no time in what `date` prints"):
        kvm_test_utils.get_time(Printing(output), "date", r"TIME: (.*)", "%H:%M")


def test_a_service_is_stopped_until_it_is():
    session = Printing("STATE: STOP_PENDING", "FAILED 1062: not started")
    kvm_test_utils.stop_windows_service(session, "wuauserv")
    assert session.commands == ["sc stop wuauserv", "sc stop wuauserv"]


def test_a_service_with_a_space_in_its_name_is_started():
    session = Printing("FAILED 1056: running already")
    kvm_test_utils.start_windows_service(session, "Remote Desktop")
    assert session.commands == ['sc start "Remote Desktop"']


@pytest.mark.parametrize(
    ("output", "timeout", "message"),
    [("FAILED 1060", 30, "no such service"), ("STATE", 0, "could not stop the service `x`")],
)
def test_a_service_that_does_not_stop_is_an_error(output, timeout, message):
    with pytest.raises(kvmtest.TestError, match=message):
        kvm_test_utils.stop_windows_service(Printing(output), "x", timeout)


def test_the_interface_of_an_address_is_found():
    session = Printing("/sys/class/net/eth1/address")
    assert kvm_test_utils.get_linux_ifname(session, "52:54:00:12:34:5A") == "eth1"
    assert "52:54:00:12:34:5a" in session.commands[0]
    with pytest.raises(kvmtest.TestError, match="no network interface"):
        kvm_test_utils.get_linux_ifname(Printing(""), "52:54:00:12:34:56")


def test_what_is_no_address_never_gets_to_the_guest():
    session = Printing("")
    with pytest.raises(ValueError):
        kvm_test_utils.get_linux_ifname(session, "$(reboot)")
    assert session.commands == []


@pytest.mark.parametrize(
    ("output", "ratio"),
    [
        ("4 packets transmitted, 4 received, 0% packet loss, time 3ms", 0),
        ("3 packets transmitted, 2 received, 33.3333% packet loss, time 2ms", 33),
        ("4 packets transmitted, 0 packets received, 100% packet loss", 100),
        ("    Packets: Sent = 4, Received = 3, Lost = 1 (25% loss),", 25),
        ("ping: unknown host", -1),
        ("", -1),
    ],
)
def test_the_loss_is_read(output, ratio):
    assert kvm_test_utils.get_loss_ratio(output) == ratio


FOREVER = (
    "sh -c \"trap 'echo 25% packet loss; exit 0' INT; echo begun; "
    'while :; do sleep 0.1; done"'
)


@pytest.mark.parametrize("is_in_session", [False, True])
def test_what_goes_on_for_ever_is_interrupted_and_prints_its_sums(shell, is_in_session):
    lines = []
    status, output = kvm_test_utils.raw_ping(
        FOREVER, 3, shell if is_in_session else None, lines.append
    )
    assert status == 0
    assert output.splitlines()[0] == "begun"
    assert output.splitlines()[-1] == "25% packet loss"
    assert "begun" in lines and "25% packet loss" in lines
    if is_in_session:
        assert shell.cmd_output("echo next") == "next"


@pytest.mark.parametrize("is_in_session", [False, True])
def test_a_status_is_that_of_the_command(shell, is_in_session):
    session = shell if is_in_session else None
    status, output = kvm_test_utils.raw_ping("echo x; (exit 2)", 30, session, None)
    assert (status, output.strip()) == (2, "x")


def test_pings_arguments_are_words(monkeypatch):
    from kvmtest.historical import _ping

    commands = []
    monkeypatch.setattr(_ping, "raw_ping", lambda *call: commands.append(call[:2]))
    kvm_test_utils.ping("a b;c", 3, 0.5, "eth0", 64, 7, "do", True, True, True, timeout=9)
    kvm_test_utils.ping()
    assert commands == [
        ("ping -c 3 -i 0.5 -I eth0 -s 64 -t 7 -M do -A -b -f 'a b;c'", 9),
        ("ping localhost", None),
    ]
