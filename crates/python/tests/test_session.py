"""Sessions: text, bytes, patterns, ends."""

from __future__ import annotations

import copy
import pickle
import re
import socket
import threading
from pathlib import Path

import pytest

import kvmtest
from kvmtest import ShellSession
from processes import raw_cat


def test_commands(shell: ShellSession) -> None:
    assert shell.cmd("echo one; echo two") == "one\ntwo"
    assert shell.cmd_output("echo x; false") == "x"
    assert shell.cmd_output_bytes("echo x") == b"x\n"
    assert shell.cmd_status("exit_3() { return 3; }; exit_3") == 3
    assert shell.cmd_status_output("echo y; false") == (1, "y")
    with pytest.raises(kvmtest.ShellCmdError) as caught:
        shell.cmd("echo why; sh -c 'exit 5'")
    assert caught.value.status == 5
    assert caught.value.output == b"why\n"
    assert "ended with status 5: `why`" in str(caught.value)


def test_bytes_that_are_no_utf8_are_kept(shell: ShellSession, tmp_path: Path) -> None:
    bytes_ = b"a\xff\xfe\xc3(b\xed\xa0\x80"
    (tmp_path / "file").write_bytes(bytes_)
    text = shell.cmd(f"cat {tmp_path}/file")
    assert text.encode("utf-8", "surrogateescape") == bytes_
    assert shell.cmd_output_bytes(f"cat {tmp_path}/file") == bytes_
    assert shell.cmd_status_output(f"cat {tmp_path}/file")[1] == text


def test_bytes_that_are_no_utf8_are_sent_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "session.log"
    with raw_cat(log) as cat:
        for text in ("ä\udcff\n", "ä".encode() + b"\xff\n", bytearray(b"\xc3\xa4\xff\n")):
            cat.send(text)  # type: ignore[arg-type]
            found = cat.read_until_output_matches("\n", 30)
            assert found == (0, "ä\udcff\n")
        cat.sendline("\udcfe")
        assert cat.read_until_output_matches("\n", 30) == (0, "\udcfe\n")
    assert log.read_bytes() == b"ready" + "ä".encode() + b"\xff\n" + ("ä".encode() + b"\xff\n") * 2 + b"\xfe\n"
    with pytest.raises(TypeError, match="text must be a str or bytes, not int"):
        cat.send(5)  # type: ignore[arg-type]


def test_nul_and_escapes_do_not_end_anything(cat: ShellSession) -> None:
    cat.send(b"a\x00b\x1b[31mred\x1b[0m\r\n")
    index, text = cat.read_until_output_matches(["red"], 30)
    assert index == 0 and "red" in text


@pytest.mark.parametrize(
    ("pattern", "said", "matched"),
    [
        ("b+", "abbc", "abb"),
        (re.compile("B", re.I), "ab", "ab"),
        (re.compile("^b$", re.M), "a\nb\nc", "a\nb"),
        (re.compile("a.b", re.S), "a\nb", "a\nb"),
        (re.compile("a b # a comment", re.X), "ab", "ab"),
        (r"b\Z", "ab", "ab"),
        (["no", "b"], "ab", "ab"),
        (("no", re.compile("b")), "ab", "ab"),
    ],
)
def test_patterns(cat: ShellSession, pattern: "str | list[str]", said: str, matched: str) -> None:
    cat.send(said)
    index, text = cat.read_until_output_matches(pattern, 30)
    assert text == matched
    assert index == (1 if isinstance(pattern, (list, tuple)) else 0)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?!x)y", "look-around"),
        (r"(a)\1", "backreferences"),
        ("(", "unclosed group"),
        ([], "no pattern"),
    ],
)
def test_patterns_that_cannot_be_waited_for(cat: ShellSession, pattern: "str", why: str) -> None:
    with pytest.raises(ValueError, match=why):
        cat.read_until_output_matches(pattern, 30)


def test_what_is_no_pattern(cat: ShellSession) -> None:
    for wrong in (5, None, [5]):
        with pytest.raises(TypeError):
            cat.read_until_output_matches(wrong, 30)  # type: ignore[arg-type]


def test_lines(cat: ShellSession) -> None:
    cat.send("one\ntwo\nthree")
    assert cat.read_until_any_line_matches("^two$", 30) == (0, "one\ntwo")
    assert cat.read_until_last_line_matches(["x", "^three$"], 30)[0] == 1
    cat.send("kept\n# ")
    assert cat.read_up_to_prompt(30) == "kept\n"


def test_reading_what_is_there(cat: ShellSession) -> None:
    assert cat.read_nonblocking() == ""
    cat.send("here")
    cat.read_until_output_matches("he", 30)
    assert cat.read_nonblocking() == "re"


def test_the_end_of_a_process() -> None:
    for script, status in (("echo bye; exit 3", 3), ("kill -9 $$", -9)):
        with ShellSession.spawn(["/bin/sh", "-c", script]) as session:
            ended, text = session.read_until_end(30)
            assert ended == status
            assert not session.is_alive()
            with pytest.raises(kvmtest.ExpectProcessTerminatedError):
                session.read_until_output_matches("x", 30)
    with ShellSession.spawn(["/bin/sh"]) as session:
        assert session.is_alive() and session.is_responsive()
        with pytest.raises(kvmtest.ShellProcessTerminatedError):
            session.cmd("exit 3")
        assert not session.is_alive() and not session.is_responsive()


def test_a_closed_session_says_so(shell: ShellSession) -> None:
    shell.close()
    shell.close()
    assert not shell.is_alive() and not shell.is_responsive()
    for use in (
        lambda: shell.cmd("true"),
        lambda: shell.send("x"),
        lambda: shell.read_nonblocking(),
        lambda: shell.read_until_output_matches("x"),
    ):
        with pytest.raises(kvmtest.SessionError, match="closed"):
            use()


def test_times(shell: ShellSession) -> None:
    for wrong in (-1, -0.1, float("nan")):
        with pytest.raises(ValueError, match="a time is a number of seconds"):
            shell.cmd("true", timeout=wrong)
    with pytest.raises(TypeError):
        shell.cmd("true", timeout="5")  # type: ignore[arg-type]
    for right in (60, 60.0, float("inf"), 1e300, None):
        assert shell.cmd("echo x", timeout=right) == "x"
    with pytest.raises(kvmtest.ExpectTimeoutError):
        shell.read_until_output_matches("never", 0)


def test_how_a_shell_behaves_is_set(shell: ShellSession) -> None:
    shell.set_prompt(re.compile(r"ready> $"))
    shell.set_linesep("\n")
    shell.set_linesep(b"\n")
    shell.cmd("PS1='ready> '")
    assert shell.cmd("echo x") == "x"
    shell.set_status_test_command("echo status:; echo $?")
    assert shell.cmd_status("false") in (0, 1)
    with pytest.raises(ValueError):
        shell.set_status_test_command(" ")
    with pytest.raises(ValueError):
        shell.set_prompt("(")


def test_programs_that_cannot_be_started() -> None:
    with pytest.raises(kvmtest.HostError, match="no-such-program"):
        ShellSession.spawn(["no-such-program"])
    with pytest.raises(TypeError, match="not a str"):
        ShellSession.spawn("/bin/sh")
    with pytest.raises(kvmtest.HostIOError):
        ShellSession.spawn([])


def test_sockets(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with ShellSession.connect(("127.0.0.1", port)) as session:
            peer, _ = server.accept()
            session.sendline("hello")
            assert peer.recv(6) == b"hello\n"
            peer.sendall(b"\xffback")
            assert session.read_until_output_matches("back", 30) == (0, "\udcffback")
            peer.close()
            assert session.read_until_end(30) == (None, "")
            assert f"127.0.0.1:{port}" in repr(session)
    with pytest.raises(kvmtest.Error, match=f"cannot connect to 127.0.0.1 port {port}"):
        ShellSession.connect(("127.0.0.1", port))
    with pytest.raises(kvmtest.HostIOError, match="connecting to the socket"):
        ShellSession.connect(tmp_path / "none")


def test_a_login_that_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(kvmtest.LoginTimeoutError):
            params = {"shell_client": "nc", "username": "root"}
            ShellSession.remote_login("127.0.0.1", port, params, timeout=0.3)
    with pytest.raises(kvmtest.ParamError, match="shell_client"):
        ShellSession.remote_login("127.0.0.1", port, {"shell_client": "pigeon"}, timeout=0.3)


def test_it_belongs_to_this_process(shell: ShellSession) -> None:
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a ShellSession cannot be pickled or copied"):
            attempt(shell)  # type: ignore[operator]


def test_threads_take_turns(shell: ShellSession) -> None:
    results: list[str] = []

    def work(number: int) -> None:
        for _ in range(5):
            results.append(shell.cmd(f"echo {number}; sleep 0.01; echo {number}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted(f"{number}\n{number}" for number in range(4) for _ in range(5))


def test_who_waits_too_long_for_a_turn_is_told(shell: ShellSession) -> None:
    began = threading.Event()

    def work() -> None:
        began.set()
        shell.cmd("sleep 60", timeout=120)

    thread = threading.Thread(target=lambda: pytest.raises(kvmtest.ShellError, work))
    thread.start()
    began.wait()
    with pytest.raises(kvmtest.ShellTimeoutError, match="another thread|did not end"):
        while True:
            shell.cmd("true", timeout=0.2)
    shell.close()
    thread.join(30)
    assert not thread.is_alive(), "closing the session ended the other thread's wait"
