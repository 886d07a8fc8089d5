"""Waits: without the interpreter's lock, and ended by signals."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

import kvmtest
from kvmtest import ShellSession
from processes import raw_cat, run_python


def later(seconds: float, action: object) -> threading.Timer:
    timer = threading.Timer(seconds, action)  # type: ignore[arg-type]
    timer.start()
    return timer


def interrupt_main() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_another_thread_runs_meanwhile(shell: ShellSession) -> None:
    counted = 0
    is_over = threading.Event()

    def count() -> None:
        nonlocal counted
        while not is_over.is_set():
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    before = counted
    shell.cmd("sleep 0.3")
    after = counted
    is_over.set()
    thread.join()
    assert after - before > 1000


def test_ctrl_c_ends_a_wait(cat: ShellSession) -> None:
    with pytest.raises(KeyboardInterrupt):
        later(0.2, interrupt_main)
        cat.read_until_output_matches("never", 600)
    # And only that one.
    cat.send("x")
    assert cat.read_until_output_matches("x", 60) == (0, "x")
    assert not kvmtest.is_interrupted()


def test_ctrl_c_ends_a_command_and_a_with_block_cleans_up() -> None:
    with pytest.raises(KeyboardInterrupt):
        with ShellSession.spawn(["/bin/sh"]) as shell:
            later(0.2, interrupt_main)
            shell.cmd("sleep 600", timeout=600)
    assert not shell.is_alive()


def test_ctrl_c_that_came_just_before_is_not_lost(cat: ShellSession) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        cat.read_until_output_matches("never", 600)


def test_a_handler_decides(cat: ShellSession) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    try:
        for each in [
            later(0.1, interrupt_main),
            later(0.3, interrupt_main),
            later(0.5, lambda: cat.send("x")),
        ]:
            each.join()
        assert cat.read_until_output_matches("x", 600) == (0, "x")
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT, signal.SIGINT]


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP]
)
def test_what_a_handler_raises_ends_a_wait(cat: ShellSession, number: signal.Signals) -> None:
    class Enough(Exception):
        pass

    def handler(_number: int, _frame: object) -> None:
        raise Enough("enough")

    before = signal.signal(number, handler)
    try:
        with pytest.raises(Enough):
            later(0.1, lambda: os.kill(os.getpid(), number))
            cat.read_until_output_matches("never", 600)
    finally:
        signal.signal(number, before)


def test_a_handler_that_is_set_anew_is_heard(cat: ShellSession) -> None:
    for _ in range(3):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt):
            later(0.05, interrupt_main)
            cat.read_until_output_matches("never", 600)
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_the_waits_of_threads_and_the_main_thread_gets_it() -> None:
    ended: list[type[BaseException]] = []
    sessions = [raw_cat() for _ in range(3)]
    are_waiting = threading.Semaphore(0)

    def wait(session: ShellSession) -> None:
        # Told after a second in the wait: whoever is told is in it.
        kvmtest.listen_doing(lambda _: are_waiting.release())
        try:
            session.read_until_output_matches("never", 600)
        except BaseException as error:
            ended.append(type(error))

    threads = [threading.Thread(target=wait, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    with pytest.raises(KeyboardInterrupt):
        assert all(are_waiting.acquire(timeout=60) for _ in threads)
        interrupt_main()
        time.sleep(60)
    for thread in threads:
        thread.join(60)
    assert ended == [KeyboardInterrupt] * 3
    for session in sessions:
        session.close()


def test_threads_of_a_program_with_a_handler_go_on() -> None:
    with raw_cat() as cat:
        found: list[object] = []
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            thread = threading.Thread(
                target=lambda: pytest.raises(
                    kvmtest.Interrupted,
                    lambda: found.append(cat.read_until_output_matches("x", 600)),
                )
            )
            thread.start()
            time.sleep(0.1)
            interrupt_main()
            time.sleep(0.1)
            assert thread.is_alive()
            with raw_cat() as other:
                other.send("y")
                other.read_until_output_matches("y", 60)
        finally:
            signal.signal(signal.SIGINT, before)
        kvmtest.interrupt()
        thread.join(60)
        assert not thread.is_alive() and not found
        kvmtest.clear_interrupt()


def test_an_interrupt_ends_all_waits_until_it_is_cleared(cat: ShellSession) -> None:
    later(0.1, kvmtest.interrupt)
    try:
        for _ in range(2):
            with pytest.raises(kvmtest.Interrupted) as caught:
                cat.read_until_output_matches("never", 600)
            assert caught.value.kind == "interrupted"
        assert kvmtest.is_interrupted()
    finally:
        kvmtest.clear_interrupt()
    cat.send("x")
    assert cat.read_until_output_matches("x", 60) == (0, "x")


def test_a_handler_may_interrupt(cat: ShellSession) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: kvmtest.interrupt())
    try:
        later(0.1, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(kvmtest.Interrupted):
            cat.read_until_output_matches("never", 600)
    finally:
        kvmtest.clear_interrupt()
        signal.signal(signal.SIGTERM, before)


def test_a_handler_cannot_wait_itself(cat: ShellSession) -> None:
    told: list[str] = []

    def handler(_number: int, _frame: object) -> None:
        try:
            cat.send("x")
        except RuntimeError as error:
            told.append(str(error))

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        later(0.5, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        with pytest.raises(kvmtest.ExpectTimeoutError):
            cat.read_until_output_matches("x", 3)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(told) == 1 and "in a wait already" in told[0]


def test_what_takes_long_is_told(cat: ShellSession) -> None:
    told: list[str] = []
    kvmtest.listen_doing(told.append)
    try:
        with kvmtest.doing("outside"):
            with pytest.raises(kvmtest.ExpectTimeoutError):
                cat.read_until_output_matches("never", 1.2)
            assert told[0] == "outside: waiting for `never`"
    finally:
        kvmtest.listen_doing(None)
    assert told[1] == "outside"
    with pytest.raises(kvmtest.ExpectTimeoutError):
        cat.read_until_output_matches("never", 1.2)
    assert len(told) <= 3, "nobody listens any more"


def test_what_a_listener_raises_ends_the_wait(cat: ShellSession) -> None:
    def listener(what: str) -> None:
        raise LookupError(what)

    kvmtest.listen_doing(listener)
    try:
        with pytest.raises(LookupError, match="never"):
            cat.read_until_output_matches("never", 600)
    finally:
        kvmtest.listen_doing(None)


def test_a_stall_factor_is_a_number_from_1_on() -> None:
    kvmtest.set_stall_factor(1)
    kvmtest.set_stall_factor(4)
    with pytest.raises(ValueError):
        kvmtest.set_stall_factor(0)
    with pytest.raises(OverflowError):
        kvmtest.set_stall_factor(-1)


def test_a_process_dies_with_its_parent() -> None:
    done = run_python(
        """
        import os, kvmtest
        kvmtest.die_with_parent(os.getppid())
        for pid in (0, -1, 2**22 + 1):
            try:
                kvmtest.die_with_parent(pid)
            except kvmtest.HostError as error:
                print(error)
        """
    )
    assert done.stdout.count("is gone") == 3, done.stderr


def test_the_log_has_what_is_said(tmp_path: object) -> None:
    done = run_python(
        """
        import sys, kvmtest
        print(kvmtest.start_log(sys.argv[1]), kvmtest.start_log(sys.argv[1]))
        kvmtest.log("warning", "bad \\udcff text")
        kvmtest.log("info", "good")
        try:
            kvmtest.log("loud", "x")
        except ValueError as error:
            print(error)
        try:
            kvmtest.start_log("/no/such/place")
        except kvmtest.HostIOError as error:
            print(error.contexts)
        """,
        f"{tmp_path}/debug.log",
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "True False", done.stderr
    assert "`loud`" in lines[1]
    assert "opening the log /no/such/place" in lines[2]
    with open(f"{tmp_path}/debug.log", encoding="utf-8") as log:
        text = log.read()
    assert "WARN bad" in text and "INFO good" in text


def test_a_fork_is_another_process() -> None:
    done = run_python(
        """
        import os, kvmtest, socket, threading
        shell = kvmtest.ShellSession.spawn(["/bin/sh"])
        env = kvmtest.Env()
        params = kvmtest.Params(a=1)
        shell.cmd("true")
        server = socket.create_server(("127.0.0.1", 0))
        waiting = kvmtest.ShellSession.connect(server.getsockname()[:2])
        peer = server.accept()[0]
        thread = threading.Thread(target=lambda: waiting.read_until_output_matches("x", 60))
        thread.start()
        pid = os.fork()
        if pid == 0:
            code = 0
            try:
                shell.cmd("true")
                code = 1
            except RuntimeError as error:
                assert "is a fork" in str(error), error
            try:
                env.get_vm("vm1")
                code = 2
            except RuntimeError as error:
                pass
            assert params["a"] == "1"
            assert "another process" in repr(env)
            kvmtest.interrupt()
            with kvmtest.ShellSession.spawn(["/bin/cat"]) as own:
                try:
                    own.read_until_output_matches("x", 60)
                    code = 3
                except kvmtest.Interrupted:
                    kvmtest.clear_interrupt()
                own.sendline("x")
                own.read_until_output_matches("x", 60)
            del shell, env, waiting
            os._exit(code)
        print("child", os.waitpid(pid, 0)[1])
        print(shell.cmd("echo still here"), os.path.exists(env.path))
        peer.sendall(b"x")
        thread.join(60)
        print(thread.is_alive())
        env.close()
        print(os.path.exists(env.path))
        """
    )
    assert done.stdout == "child 0\nstill here True\nFalse\nFalse\n", done.stderr
