"""Machines that are moved, saved, forked and put to sleep, from Python alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kvmtest


@pytest.fixture
def defined() -> Iterator[kvmtest.VM]:
    """A machine that was never started."""
    with kvmtest.Env(kvmtest.default_params(vms="vm1", guest="small")) as env:
        yield env.define_vm("vm1")


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda vm: vm.migrate("pigeon"), ValueError, "`tcp`, `unix`, `exec`, `fd` or `file`: `pigeon`"),
        (lambda vm: vm.migrate("tcp", True), TypeError, "positional"),
        (lambda vm: vm.migrate(timeout=-1), ValueError, "`timeout` must be .* 0 or more: -1"),
        (lambda vm: vm.migrate(timeout="long"), TypeError, "timeout"),
        (lambda vm: vm.migrate(downtime=float("nan")), ValueError, "`downtime` must be .*: NaN"),
        (lambda vm: vm.migrate(cancel_after=-0.1), ValueError, "`cancel_after` must be .*: -0.1"),
        (lambda vm: vm.migrate(bandwidth="fast"), TypeError, "`bandwidth` must be a whole .*: 'fast'"),
        (lambda vm: vm.migrate(bandwidth=1.5), TypeError, "`bandwidth` must be a whole .*: 1.5"),
        (lambda vm: vm.migrate(bandwidth=-1), ValueError, "`bandwidth` must be .* from 0 to .*: -1"),
        (lambda vm: vm.migrate(bandwidth=1 << 64), ValueError, "`bandwidth` must be .*: 18446744073"),
        (lambda vm: vm.migrate(capabilities=["multifd"]), TypeError, "`capabilities` must be a map"),
        (lambda vm: vm.migrate(capabilities={1: True}), TypeError, "`capabilities` must be a map"),
        (
            lambda vm: vm.migrate(capabilities={"multifd": "yes"}),
            TypeError,
            r"`capabilities\[multifd\]` must be `True` or `False`: 'yes'",
        ),
        (lambda vm: vm.migrate(parameters={"x": object()}), TypeError, r"`parameters\[x\]` .*JSON"),
        (lambda vm: vm.migrate(parameters={"x": 1 << 64}), ValueError, r"`parameters\[x\]` .*64 bits"),
        (lambda vm: vm.migrate(on_progress=5), TypeError, "`on_progress` must be a function: 5"),
        (lambda vm: vm.save_to_file("x", "zip"), ValueError, "`none` or `gzip`: `zip`"),
        (lambda vm: vm.fork_all("twin"), TypeError, "str"),
        (lambda vm: vm.clone("../x"), kvmtest.ParamError, "a VM cannot be called `../x`: a name is"),
        (lambda vm: vm.fork("a/b"), kvmtest.ParamError, "a twin cannot be called `a/b`: a name is"),
        (lambda vm: vm.fork(""), kvmtest.ParamError, "a twin cannot be called ``: a name is"),
        (lambda vm: vm.fork_all(["a", "a"]), kvmtest.ParamError, "`a`: another twin"),
        (lambda vm: vm.migrate(), kvmtest.VMError, "vm1"),
        (lambda vm: vm.fork("twin"), kvmtest.VMError, "vm1"),
        (lambda vm: vm.is_paused(), kvmtest.VMError, "vm1"),
        (lambda vm: vm.savevm("x"), kvmtest.VMError, "vm1"),
        (lambda vm: vm.restore_from_file("/nowhere/x"), kvmtest.Error, "/nowhere/x"),
    ],
)
def test_what_cannot_be_done_says_so(defined: kvmtest.VM, call, kind, words) -> None:
    with pytest.raises(kind, match=words):
        call(defined)


def test_it_moves_with_its_sessions(vm: kvmtest.VM) -> None:
    with vm.wait_for_login() as session:
        session.cmd("echo moved >/tmp/word")
        before = vm.get_pid()
        seen: list[kvmtest.Figures] = []
        figures = vm.migrate("unix", on_progress=seen.append)
        assert vm.get_pid() != before and vm.is_alive()
        assert session.cmd("cat /tmp/word") == "moved"
    assert figures.status == "completed" and figures.error is None and not figures.postcopy
    assert figures.total >= 256 << 20 and figures.transferred > 0 and figures.passes >= 1
    assert figures.downtime is not None and 0 <= figures.downtime < 600
    assert "completed" in repr(figures)
    assert seen and all(isinstance(one, kvmtest.Figures) for one in seen)
    with pytest.raises(AttributeError):
        figures.status = "mine"  # type: ignore[misc]


def test_what_on_progress_says_counts(vm: kvmtest.VM) -> None:
    class Mine(Exception):
        pass

    def refuse(figures: kvmtest.Figures) -> None:
        raise Mine(figures.status)

    before = vm.get_pid()
    slow = {"bandwidth": 1 << 20, "offline": False}
    with pytest.raises(Mine):
        vm.migrate(on_progress=refuse, **slow)
    with pytest.raises(ValueError, match="`on_progress` returns"):
        vm.migrate(on_progress=lambda figures: "stop it", **slow)
    with pytest.raises(RuntimeError, match="in a wait already"):
        vm.migrate(on_progress=lambda figures: vm.pause(), **slow)
    with pytest.raises(kvmtest.MigrateCancelledError) as caught:
        vm.migrate(on_progress=lambda figures: "cancel", **slow)
    assert isinstance(caught.value, kvmtest.MigrateError) and caught.value.kind == "migrate-cancelled"
    with pytest.raises(kvmtest.MigrateCancelledError):
        vm.migrate(cancel_after=0.2, **slow)
    with pytest.raises(kvmtest.MigrateTimeoutError):
        vm.migrate(timeout=0.5, **slow)
    with pytest.raises(kvmtest.ParamError, match="no-such"):
        vm.migrate(capabilities={"no-such": True})
    with pytest.raises(kvmtest.ParamError, match="`max-bandwidth` must be 0 or more: `-1`"):
        vm.migrate(parameters={"max-bandwidth": -1})
    # What QEMU knows better: it is told in its words.
    refused: list[tuple[dict[str, Any], str]] = [
        ({"downtime": 1e9}, "downtime"),
        ({"parameters": {"multifd-channels": 100_000}}, "multifd"),
        ({"parameters": {"xbzrle-cache-size": 3}}, "power of two"),
    ]
    for wrong, words in refused:
        with pytest.raises(kvmtest.MigrateFailedError, match=words) as failed:
            vm.migrate(**wrong)
        assert "QEMU refused `migrate-set-parameters`" in str(failed.value)
        assert "migrating the VM `vm1`" in str(failed.value)
    assert vm.get_pid() == before and not vm.is_paused()
    with vm.wait_for_login() as session:
        assert session.cmd("echo still here") == "still here"


def test_it_is_saved_and_goes_on_from_there(vm: kvmtest.VM, tmp_path: Path) -> None:
    path = tmp_path / "saved"
    with vm.wait_for_login() as session:
        session.cmd("echo before >/tmp/word")
        vm.save_to_file(path, compression="gzip")
        session.cmd("echo after >/tmp/word")
        vm.restore_from_file(path)
        assert session.cmd("cat /tmp/word") == "before"
    with vm.wait_for_login() as session:
        assert session.cmd("cat /tmp/word") == "before"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(kvmtest.Error):
        vm.restore_from_file(path)
    assert vm.is_alive(), "nothing was destroyed for it"
    assert vm.restored_from == str(path) and vm.origin is None


def test_twins_go_on_from_one_moment_and_see_nothing_of_each_other(vm: kvmtest.VM) -> None:
    with vm.wait_for_login() as session:
        session.cmd("echo common >/tmp/word")
        twin = vm.fork("twin")
        with twin:
            others, forked = vm.fork_all(["one", "two"])
            assert 0 < forked.pause < 600 and forked.shares and forked.moved is True
            assert "shares=True" in repr(forked)
            assert [other.name for other in others] == ["one", "two"]
            assert len({machine.get_pid() for machine in [vm, twin, *others]}) == 4
            session.cmd("echo original >/tmp/word")
            with twin.wait_for_login() as own:
                assert own.cmd("cat /tmp/word") == "common"
            for other in others:
                other.destroy(gracefully=False)
        assert twin.is_dead()
        assert session.cmd("cat /tmp/word") == "original"
    with pytest.raises(kvmtest.ParamError, match="vm1"):
        vm.fork("vm1")
    before = vm.get_pid()
    none, forked = vm.fork_all([])
    assert none == [] and forked.pause == 0 and not forked.moved and vm.get_pid() == before


def test_it_pauses_sleeps_and_wakes(vm: kvmtest.VM) -> None:
    vm.pause()
    assert vm.is_paused() and not vm.is_suspended()
    vm.resume()
    assert not vm.is_paused()
    with vm.wait_for_login() as session:
        vm.suspend_to_ram(session)
        assert vm.is_suspended()
        vm.wake()
        session.read_up_to_prompt(60)
        assert session.cmd("echo awake") == "awake"
        assert vm.can_suspend_to_ram(session)
        # It has no swap.
        assert not vm.can_suspend_to_disk(session)
        with pytest.raises(kvmtest.GuestError, match="vm1` cannot suspend to disk: .*no swap"):
            vm.suspend_to_disk(session)
        assert session.cmd("echo awake") == "awake"
    assert not vm.is_suspended()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own, with the guests of the user's: states are kept in it."""
    theirs = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kvmtest"
    (tmp_path / "kvmtest").mkdir()
    for name in ("guests", "qemu"):
        (theirs / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "kvmtest" / name).symlink_to(theirs / name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_it_starts_from_a_state(guest: str, cache: Path) -> None:
    params = kvmtest.default_params(
        vms="vm1",
        guest=guest,
        vm_state="with_word",
        state_command_with_word="echo word >/tmp/word",
    )
    with kvmtest.Env(params) as env:
        vm = env.define_vm("vm1")
        origin = vm.create_from_state()
        assert origin.name == "with_word" and origin.built and 0 < origin.took < origin.built
        assert (cache / "kvmtest" / "states" / origin.digest / "state.json").exists()
        assert repr(origin).startswith("<StateOrigin with_word ")
        assert vm.origin is not None and vm.origin.digest == origin.digest
        assert vm.restored_from is None
        with vm.wait_for_login() as session:
            assert session.cmd("cat /tmp/word") == "word"
        assert vm.create_from_state().built is None, "it is there"
        vm.params["vm_state"] = "by_nobody"
        with pytest.raises(kvmtest.ParamError, match="state_command_by_nobody"):
            vm.create_from_state()
        assert len(list((cache / "kvmtest" / "states").glob("[0-9a-f]*/state.json"))) == 2
        vm.params["state_subtest_by_nobody"] = "foo"
        with pytest.raises(kvmtest.ParamError, match="only `kvmtest` can run"):
            vm.create_from_state()
