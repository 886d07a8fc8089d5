"""A search that finds nothing for a long time: other threads run, and Ctrl-C ends it."""

import signal
import subprocess
import sys

DEADLINE = 120
"""Seconds. Nothing here takes one, unless it hangs."""

HOPELESS = """
import os, signal, threading
from kvmtest.cartesian import Parser

# Fifteen pigeons in fourteen holes, no two in one: whoever tries, tries for years.
pigeons, holes = range(15), range(14)
text = ""
for pigeon in pigeons:
    text += f"variants p{pigeon}:\\n" + "".join(f"  - h{hole}:\\n" for hole in holes)
for hole in holes:
    for one in pigeons:
        for other in range(one):
            text += f"no (p{one}=h{hole})..(p{other}=h{hole})\\n"
parser = Parser()
parser.parse_string(text)
dicts = parser.get_dicts()
"""


def run(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", HOPELESS + script],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def test_another_thread_runs_and_interrupts() -> None:
    done = run(
        """
def interrupt():
    os.kill(os.getpid(), signal.SIGINT)

threading.Timer(0.3, interrupt).start()
try:
    next(dicts)
except KeyboardInterrupt:
    print("interrupted", list(dicts))
"""
    )
    assert (done.stdout, done.stderr) == ("interrupted []\n", "")


def test_a_handler_may_raise_anything() -> None:
    done = run(
        """
class Stop(BaseException):
    pass

def stop(number, frame):
    raise Stop

signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    next(dicts)
except Stop:
    print("stopped")
"""
    )
    assert (done.stdout, done.stderr) == ("stopped\n", "")


def test_a_handler_that_returns_ends_nothing() -> None:
    done = run(
        """
heard = []

def hear(number, frame):
    heard.append(number)
    if len(heard) == 3:
        raise TimeoutError

signal.signal(signal.SIGALRM, hear)
signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
try:
    next(dicts)
except TimeoutError:
    print("heard", len(heard))
"""
    )
    assert (done.stdout, done.stderr) == ("heard 3\n", "")


def test_ctrl_c_without_anybody_to_catch_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOPELESS + "print('begun', flush=True)\nnext(dicts)\n"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=DEADLINE)
    assert stderr.endswith("KeyboardInterrupt\n")
    assert process.returncode in (-signal.SIGINT, 130)


def test_a_second_thread_is_refused() -> None:
    done = run(
        """
def look():
    try:
        next(dicts)
    except KeyboardInterrupt:
        pass

threading.Thread(target=look, daemon=True).start()
refused = ""
while not refused:
    try:
        dicts.close()
        dicts = parser.get_dicts()
        threading.Thread(target=look, daemon=True).start()
    except ValueError as error:
        refused = str(error)
print(refused)
"""
    )
    assert done.stdout == "another thread is looking for the next variant already\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_a_daemon_thread_that_still_looks_at_the_end() -> None:
    done = run(
        """
threading.Thread(target=lambda: next(dicts), daemon=True).start()
print("end")
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")
