"""Machines, from Python alone."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import kvmtest
from processes import environment


def left_in(runtime: Path) -> list[str]:
    """What machines have left in the runtime directory."""
    return sorted(
        str(path)
        for path in (runtime / "kvmtest").rglob("*")
        if path.name not in ("envs", "vms") and "kvm.json" != path.name
    )


def gone(pid: int, seconds: float = 30) -> bool:
    """Whether the process ends."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    ended = bool(poll.poll(seconds * 1000))
    os.close(descriptor)
    return ended


def test_a_guest_answers(vm: kvmtest.VM) -> None:
    with vm.wait_for_login() as session:
        assert session.cmd("uname -s") == "Linux"
        assert session.cmd_status("false") == 1
    assert vm.is_alive() and not vm.is_dead()
    vm.verify_alive()
    assert vm.ending() is None
    assert vm.name == "vm1" and "vm1" in repr(vm)
    assert os.path.exists(f"/proc/{vm.get_pid()}")
    assert vm.console_tail(64) and len(vm.console_tail(64)) <= 64
    assert vm.get_address() == "127.0.0.1" and 0 < vm.get_port(22) < 65536
    assert "qemu" in vm.qemu_command()
    with pytest.raises(kvmtest.VMAddressError, match="number 7"):
        vm.get_address(7)


def test_monitors(vm: kvmtest.VM) -> None:
    monitor = vm.monitor
    assert isinstance(monitor, kvmtest.QMPMonitor)
    assert monitor.name in vm.monitors()
    assert monitor.greeting["QMP"]["version"]["qemu"]["major"] >= 6
    assert monitor.cmd("query-status")["running"] is True
    assert monitor.status() == "running" and monitor.is_responsive()
    assert "running" in vm.send_monitor_cmd("info status")
    assert "running" in vm.human_monitor.info("status") and "running" in monitor.human("info status")
    assert monitor.cmd_raw('{"execute": "no-such"}')["error"]["class"] == "CommandNotFound"
    with pytest.raises(kvmtest.MonitorCommandError, match="Device 'no' not found") as caught:
        monitor.cmd("device_del", id="no")
    assert "executing `device_del`" in caught.value.contexts[-1]
    assert monitor.cmd("qom-list", {"path": "/"}) == monitor.cmd("qom-list", path="/")
    with pytest.raises(kvmtest.MonitorError, match="no monitor called `none`"):
        vm.get_monitor("none")
    assert vm.get_monitor(monitor.name).name == monitor.name


def test_arguments_that_json_has_not(vm: kvmtest.VM) -> None:
    monitor = vm.monitor
    endless: list[object] = []
    endless.append(endless)
    for wrong in (object(), {1}, b"x", {"a": b"x"}, {5: 1}):
        with pytest.raises(TypeError):
            monitor.cmd("x", {"key": wrong})
    for wrong in (float("nan"), 1 << 64, endless):
        with pytest.raises(ValueError):
            monitor.cmd("x", {"key": wrong})
    with pytest.raises(TypeError):
        monitor.cmd("x", [1])  # type: ignore[arg-type]
    with pytest.raises(UnicodeEncodeError):
        monitor.cmd("x", {"key": "\udc80"})


def test_events(vm: kvmtest.VM) -> None:
    monitor = vm.monitor
    monitor.clear_events()
    vm.pause()
    assert monitor.status() == "paused"
    vm.resume()
    assert monitor.wait_event("STOP", 60).name == "STOP"
    event = monitor.wait_event(["NEVER", "RESUME"], 60)
    assert event.name == "RESUME" and event.time > 1e9 and event.data in (None, {})
    assert monitor.event("STOP") is None
    with pytest.raises(kvmtest.MonitorTimeoutError, match="NEVER"):
        monitor.wait_event("NEVER", 0.1)
    monitor.clear_events()
    assert monitor.events() == []


def test_a_monitor_serves_several_threads(vm: kvmtest.VM) -> None:
    monitor = vm.monitor
    waiting = threading.Thread(target=lambda: monitor.wait_event("STOP", 60))
    waiting.start()
    assert [monitor.cmd("query-status")["running"] for _ in range(5)] == [True] * 5
    vm.pause()
    vm.resume()
    waiting.join(60)
    assert not waiting.is_alive()


def test_a_screen(vm: kvmtest.VM, tmp_path: Path) -> None:
    if vm.has_screen():
        vm.screendump(tmp_path / "screen.png")
        assert (tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")
    else:
        with pytest.raises(kvmtest.ScreenError):
            vm.screendump(tmp_path / "screen.png")
    with pytest.raises(kvmtest.ParamError):
        vm.screendump(tmp_path / "screen.jpg")


def test_params_of_a_machine_can_be_changed(vm: kvmtest.VM) -> None:
    params = vm.params
    before = params["shell_client"]
    params["shell_client"] = "pigeon"
    with pytest.raises(kvmtest.ParamError, match="pigeon"):
        vm.login()
    assert vm.params["shell_client"] == "pigeon"
    vm.params = {**params, "shell_client": before}
    assert vm.params["shell_client"] == before


def test_what_belongs_to_this_process_is_not_pickled(vm: kvmtest.VM) -> None:
    for thing in (vm, vm.monitor, vm.human_monitor):
        for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled or copied"):
                attempt(thing)  # type: ignore[operator]


def test_a_fork_does_not_end_its_parents_conversations(vm: kvmtest.VM) -> None:
    monitor = vm.monitor
    assert monitor.is_responsive()
    pid = os.fork()
    if pid == 0:
        try:
            monitor.cmd("query-status")
            os._exit(1)
        except RuntimeError:
            pass
        del monitor
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert monitor.cmd("query-status")["running"] is True


def test_a_machine_that_died_says_how(guest: str) -> None:
    with kvmtest.VM.boot(guest) as vm:
        session = vm.wait_for_login()
        monitor = vm.monitor
        os.kill(vm.get_pid(), signal.SIGKILL)
        with pytest.raises(kvmtest.VMDeadError, match="killed by SIGKILL"):
            session.cmd("sleep 600", timeout=600)
        assert vm.is_dead() and not vm.is_alive()
        with pytest.raises(kvmtest.VMDeadError):
            vm.verify_alive()
        with pytest.raises(kvmtest.MonitorError):
            monitor.cmd("query-status")
        assert "killed by SIGKILL" in (vm.ending() or "")
    with pytest.raises(kvmtest.VMDeadError, match="was not started"):
        vm.get_pid()


def test_an_environment_of_ones_own(guest: str, runtime: Path) -> None:
    params = {**boot_params(guest), "mem": 192}
    with kvmtest.Env(params) as env:
        assert env.get_vm("vm1") is None and env.get_all_vms() == []
        defined = env.define_vm("vm1")
        assert defined.is_dead() and defined.params["mem"] == "192" and defined.monitors() == []
        env.params["mem"] = 200
        vm = env.get_living_vm("vm1")
        assert vm.params["mem"] == "200"
        twin = env.get_living_vm("vm1")
        assert twin.get_pid() == vm.get_pid()
        assert [one.name for one in env.get_all_vms()] == ["vm1"]
        other = vm.clone("vm2")
        assert other.name == "vm2" and other.is_dead()
        other.create()
        assert [one.name for one in env.get_all_vms()] == ["vm1", "vm2"]
        assert env.unregister_vm("vm2") and not env.unregister_vm("vm2")
        env.register_vm(other)
        seen = kvmtest.Env.open(env.path)
        found = seen.get_vm("vm2")
        assert found is not None and found.get_pid() == other.get_pid()
        seen.close()
        assert found.is_alive(), "an environment that was opened is left as it is"
        pids = [vm.get_pid(), other.get_pid()]
    assert all(gone(pid) for pid in pids)
    assert not os.path.exists(env.path)


def test_a_machine_that_cannot_start_leaves_nothing(runtime: Path) -> None:
    before = left_in(runtime)
    with pytest.raises(kvmtest.GuestError, match="no-such"):
        kvmtest.VM.boot("no-such")
    with pytest.raises(kvmtest.Error):
        kvmtest.VM.boot(guest="", machine_type="no-such")
    assert left_in(runtime) == before


def test_an_env_file_that_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "env.json"
    path.write_text("{")
    with pytest.raises(kvmtest.EnvError):
        kvmtest.Env.open(path)
    assert path.read_text() == "{"
    env = kvmtest.Env.open(tmp_path / "none.json")
    assert env.get_all_vms() == [] and not (tmp_path / "none.json").exists()


SCRIPT = """
import os, sys, kvmtest
with kvmtest.VM.boot(sys.argv[1]) as vm:
    print(vm.get_pid(), flush=True)
    if sys.argv[2] == "wait":
        vm.monitor.wait_event("NEVER", 600)
    if sys.argv[2] == "exit":
        os._exit(3)
    if sys.argv[2] == "raise":
        raise LookupError
"""


@pytest.mark.parametrize(
    ("how", "number"),
    [("wait", signal.SIGKILL), ("wait", signal.SIGINT), ("wait", signal.SIGTERM), ("exit", None),
     ("raise", None), ("leave", None)],
)
def test_nothing_is_left_however_python_ends(
    guest: str, runtime: Path, how: str, number: "signal.Signals | None"
) -> None:
    before = left_in(runtime)
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), guest, how],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    if number is not None:
        process.send_signal(number)
    process.wait(60)
    process.stdout.close()
    assert gone(pid)
    # The guard clears up after QEMU's end; when it is through, it ends, too.
    for _ in range(300):
        if left_in(runtime) == before:
            break
        threading.Event().wait(0.1)
    assert left_in(runtime) == before


def boot_params(guest: str) -> kvmtest.Params:
    """What `VM.boot` starts from."""
    with kvmtest.Env() as env:
        del env
    return kvmtest.Params(
        guest=guest,
        vms="vm1",
        main_vm="vm1",
        images="data",
        nics="nic1",
        monitors="qmp1",
        mem=256,
        nic_mode="user",
        shell_client="serial ssh",
        username="root",
        password="kvmtest",
    )


def test_a_machine_that_takes_a_name_ends_the_one_that_had_it(guest: str) -> None:
    with kvmtest.Env(kvmtest.default_params(guest=guest)) as env:
        first = env.get_living_vm("vm1").get_pid()
        second = env.create_vm("vm1", kvmtest.default_params(guest=guest, mem=300)).get_pid()
        assert gone(first)
        third = env.get_living_vm("vm1").clone("vm1")
        third.create()
        assert gone(second) and third.is_alive()
        assert [machine.get_pid() for machine in env.get_all_vms()] == [third.get_pid()]
    assert third.is_dead()
