"""Sessions as the oldest subtests use them, with a shell on this host."""

import kvm_subprocess
import pytest

import kvmtest


@pytest.mark.parametrize(
    ("command", "status", "output"),
    [
        ("echo hi", 0, "hi"),
        ("echo hi; false", 1, "hi"),
        ("exit_is_none_of_mine() { return 7; }; exit_is_none_of_mine", 7, ""),
        ("printf 'a\\nb\\n'", 0, "a\nb"),
    ],
)
def test_both_spellings_agree(shell, command, status, output):
    assert shell.cmd_status_output(command) == (status, output)
    assert shell.get_command_status_output(command) == (status, output)
    assert shell.cmd_status(command) == shell.get_command_status(command) == status
    assert shell.cmd_output(command) == shell.get_command_output(command) == output


def test_the_old_spellings_report_by_value(shell):
    status, output = shell.get_command_status_output("echo begun; sleep 60", timeout=3)
    assert status is None
    assert "begun" in output


def test_the_old_spellings_report_a_shell_that_is_gone(shell):
    assert shell.get_command_status("kill -9 $$", timeout=10) is None


def test_the_new_spellings_raise(shell):
    with pytest.raises(kvm_subprocess.ShellCmdError, match="status 3"):
        shell.cmd("(exit 3)", timeout=10, internal_timeout=1)
    with pytest.raises(kvm_subprocess.ShellTimeoutError):
        shell.cmd_output("sleep 60", timeout=0.2)


@pytest.mark.parametrize("method", ["cmd", "cmd_output", "cmd_status", "cmd_status_output"])
def test_print_func_is_given_the_lines(shell, method):
    lines = []
    getattr(shell, method)("echo a; echo b", timeout=10, print_func=lines.append)
    assert lines == ["a", "b"]


def test_print_func_is_given_the_lines_of_a_failure(shell):
    lines = []
    with pytest.raises(kvm_subprocess.ShellCmdError):
        shell.cmd("echo a; false", print_func=lines.append)
    assert lines == ["a"]


def test_a_line_is_typed_and_read_up_to_the_prompt(shell):
    shell.cmd("true")
    shell.sendline("echo typed")
    assert "typed" in shell.read_up_to_prompt(timeout=10, internal_timeout=0.1)


def test_the_last_word_is_waited_for(shell):
    shell.sendline("echo one word; sleep 1")
    index, output = shell.read_until_last_word_matches(["^one$", "^word$"], timeout=10)
    assert (index, output.split()[-2:]) == (1, ["one", "word"])


def test_a_filter_is_applied_to_what_was_read(shell):
    shell.sendline("echo abc; sleep 1")
    index, output = shell.read_until_output_matches([None, "CBA"], lambda t: t[::-1].upper(), 10)
    assert index == 1
    assert "abc" in output


def test_what_does_not_come_says_so_with_what_did(shell):
    shell.sendline("echo abc")
    with pytest.raises(kvmtest.ExpectTimeoutError, match="`nix` or `nax`") as raised:
        shell.read_until_output_matches(["nix", "nax"], lambda text: text, timeout=0.5)
    assert b"abc" in raised.value.output


def test_without_a_filter_the_second_argument_is_the_time(shell):
    with pytest.raises(kvmtest.ExpectTimeoutError):
        shell.read_until_output_matches(["nothing of the kind"], 0.1)


def test_nonblocking_reads_until_silence(shell):
    assert shell.cmd_output("true") == ""
    shell.sendline("echo now; sleep 0.1; echo later")
    output = shell.read_nonblocking(timeout=1.0)
    assert "now" in output and "later" in output
    assert shell.read_nonblocking(0.0, timeout=5) == ""


@pytest.mark.parametrize(
    ("text", "patterns", "index"),
    [
        ("abc", ["x", "b"], 1),
        ("abc", ["b", "b"], 0),
        ("abc", [None, "^a"], 1),
        ("abc", ["x"], None),
        ("abc", [], None),
    ],
)
def test_patterns_are_matched_in_order(shell, text, patterns, index):
    assert shell.match_patterns(text, patterns) == index


def test_status_is_that_of_the_process():
    session = kvm_subprocess.Expect("exit 5")
    assert session.get_status() == 5
    assert not session.is_alive()


def test_a_command_is_a_line_of_shell():
    session = kvm_subprocess.kvm_expect("echo 'two words' | tr o 0; echo \"$0\"")
    status, output = session.read_until_end(10)
    assert (status, output.splitlines()) == (0, ["tw0 w0rds", "/bin/sh"])


def test_prompt_and_status_command_are_arguments():
    with kvm_subprocess.kvm_shell_session(
        "sh", prompt=r"\$ $|# $", status_test_command="echo $?"
    ) as session:
        assert session.cmd_status("(exit 4)") == 4


def test_echo_can_be_had():
    session = kvm_subprocess.Expect("read line; echo got $line", echo=True)
    # The terminal echoes from the moment on in which it was told to.
    session.read_nonblocking(0.5)
    session.sendline("abc")
    assert session.read_until_end(10)[1].splitlines() == ["abc", "got abc"]


def test_sessions_are_instances_of_the_historical_classes(shell):
    assert isinstance(shell, kvm_subprocess.ShellSession)
    assert isinstance(shell, kvm_subprocess.kvm_expect)
    assert not isinstance("shell", kvm_subprocess.ShellSession)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give a `command`"),
        ({"id": "abcdefgh"}, "give a `command`"),
        ({"command": "sh", "output_func": print}, "`output_func` is left out"),
    ],
)
def test_what_a_session_cannot_be_made_from_is_said(arguments, message):
    with pytest.raises(NotImplementedError, match=message):
        kvm_subprocess.ShellSession(**arguments)


def test_a_session_has_no_subclasses():
    with pytest.raises(TypeError, match="wrap it"):
        type("Mine", (kvm_subprocess.ShellSession,), {})
