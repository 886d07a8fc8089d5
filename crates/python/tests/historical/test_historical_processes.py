"""`run_bg`, `run_fg`, `Spawn` and `Tail`, with processes on this host."""

import os
import signal
import subprocess
import sys
import threading

import kvm_subprocess
import kvm_utils
import pytest

import kvmtest.historical

LONG = 30


@pytest.mark.parametrize(
    ("command", "status", "output"),
    [
        ("true", 0, ""),
        ("echo a; echo b >&2", 0, "a\nb\n"),
        ("exit 7", 7, ""),
        ("printf no-line-end", 0, "no-line-end"),
        ("printf 'a\\r\\nb\\rc'", 0, "a\nbc"),
        ("printf '\\377'", 0, "\udcff"),
        ("kill -9 $$", -9, ""),
        ("echo $TERM", 0, "dumb\n"),
        ("no-such-program-at-all 2>/dev/null", 127, ""),
    ],
)
def test_a_command_gives_status_and_output(command, status, output):
    assert kvm_subprocess.run_fg(command, timeout=LONG) == (status, output)


def test_a_command_that_takes_too_long_is_killed():
    status, output = kvm_subprocess.run_fg("echo begun; sleep 60", timeout=3)
    assert status is None
    assert output == "begun\n"


def test_lines_come_with_their_prefix_and_the_end_is_told():
    lines, ends = [], []
    process = kvm_subprocess.run_bg(
        "echo a; echo b; exit 2", ends.append, lines.append, "(x) ", timeout=LONG
    )
    assert process.get_status() == 2
    assert lines == ["(x) a", "(x) b", "(x) (Process terminated with status 2)"]
    assert ends == [2]


def test_a_line_that_is_not_finished_is_told_after_a_silence():
    told = threading.Event()
    with kvm_subprocess.Tail(
        "printf question; sleep 60", output_func=lambda line: told.set()
    ) as process:
        assert told.wait(LONG)
        assert process.is_alive()


def test_params_come_first():
    calls = []
    process = kvm_subprocess.Tail(
        "echo a",
        output_func=lambda *call: calls.append(call),
        output_params=("p", 1),
        termination_func=lambda *call: calls.append(call),
        termination_params=("q",),
    )
    process.get_status()
    assert calls == [
        ("p", 1, "a"),
        ("p", 1, "(Process terminated with status 0)"),
        ("q", 0),
    ]


def test_in_the_background_it_goes_on():
    process = kvm_subprocess.run_bg("read line; echo got $line", timeout=0)
    assert process.is_alive()
    process.sendline("x")
    assert process.wait(LONG)
    assert process.get_output() == "got x\n"
    assert process.get_status() == 0


def test_the_line_end_can_be_another():
    process = kvm_subprocess.Spawn("read line; echo got $line", linesep=" more\n")
    process.sendline("x")
    process.wait(LONG)
    assert process.get_output() == "got x more\n"


def test_closing_ends_what_it_started_too():
    process = kvm_subprocess.run_bg("sleep 60 & echo $!; wait", timeout=0)
    kvm_utils.wait_for(lambda: "\n" in process.get_output(), LONG, 0, 0.02)
    child = int(process.get_output())
    process.close()
    assert process.get_status() == -signal.SIGKILL
    assert kvm_utils.wait_for(lambda: _is_gone(child), LONG, 0, 0.02)
    process.close()


def test_what_it_left_behind_ends_with_it():
    status, output = kvm_subprocess.run_fg("sleep 60 & echo $!", timeout=LONG)
    assert status == 0
    assert kvm_utils.wait_for(lambda: _is_gone(int(output)), LONG, 0, 0.02)


def test_what_goes_on_printing_does_not_keep_it():
    status, _ = kvm_subprocess.run_fg("setsid yes & sleep 0.2; exit 3", timeout=LONG)
    assert status == 3


def test_another_signal_can_be_sent():
    process = kvm_subprocess.run_bg("trap 'echo bye; exit 9' TERM; while :; do sleep 0.1; done")
    process.close(signal.SIGTERM)
    assert process.get_status() == 9
    assert "bye\n" in process.get_output()


def test_much_output_does_not_block_it():
    status, output = kvm_subprocess.run_fg("head -c 3000000 /dev/zero | tr '\\0' x", timeout=LONG)
    assert (status, len(output)) == (0, 3_000_000)


def test_a_character_in_two_pieces_is_whole():
    lines = []
    kvm_subprocess.run_bg(
        "printf '\\303'; printf '\\244\\n'", output_func=lines.append, timeout=LONG
    )
    assert lines[0] == "ä"


def test_a_function_that_raises_stops_nothing(monkeypatch):
    failures, ends = [], []
    monkeypatch.setattr(threading, "excepthook", failures.append)

    def fail(line):
        raise ValueError(line)

    process = kvm_subprocess.run_bg(
        "echo a; head -c 300000 /dev/zero; echo b", ends.append, fail, timeout=LONG
    )
    assert process.get_status() == 0
    assert process.get_output().endswith("b\n")
    assert [str(failure.exc_value) for failure in failures] == ["a"]
    assert ends == [0]


def test_no_function_is_called_any_more():
    lines = []
    process = kvm_subprocess.run_bg("read x; echo $x", output_func=lines.append, timeout=0)
    kvm_subprocess.kill_tail_threads()
    process.sendline("late")
    assert process.wait(LONG)
    assert lines == []
    assert process.get_output() == "late\n"


def test_nobody_takes_hold_of_a_process_by_its_id():
    with pytest.raises(NotImplementedError, match="belongs to the subtest"):
        kvm_subprocess.Tail(id="abcdefgh")


def test_it_ends_with_its_python():
    script = (
        "import sys; sys.path.append(sys.argv[1]); import kvm_subprocess; "
        "print(kvm_subprocess.run_bg('sleep 60', timeout=0).get_pid())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, kvmtest.historical.path()],
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG,
    )
    assert kvm_utils.wait_for(lambda: _is_gone(int(ended.stdout)), LONG, 0, 0.02)


def test_a_fork_ends_none_of_them():
    script = (
        "import os, sys; sys.path.append(sys.argv[1]); import kvm_subprocess; "
        "one = kvm_subprocess.run_bg('sleep 60', timeout=0); "
        "pid = os.fork() or sys.exit(0); os.waitpid(pid, 0); print(one.wait(0.2))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, kvmtest.historical.path()],
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG,
    )
    assert ended.stdout == "False\n"


def _is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return not os.path.exists(f"/proc/{pid}")
