"""The historical names with a running guest."""

import kvm_test_utils
import kvm_utils
import kvm_vm
import pytest

import kvmtest


@pytest.fixture(scope="module")
def session(vm):
    with kvm_test_utils.wait_for_login(vm) as session:
        yield session


def test_the_words_of_the_reference(vm, session, capsys):
    session.sendline("uname -r")
    status, output = session.cmd_status_output("uname -r")
    assert status == 0 and output
    twin = vm.clone("twin")
    assert (twin.name, twin.is_dead()) == ("twin", True)
    print(vm.send_monitor_cmd("info status"))
    assert "VM status: running" in capsys.readouterr().out


def test_a_machine_tells_of_itself(vm):
    assert vm.get_name() == vm.name
    assert vm.get_params()["mem"] == vm.params["mem"]
    assert kvm_utils.is_vm(vm) and not kvm_utils.is_vm(None)
    assert isinstance(vm, kvm_vm.VM)
    assert vm.get_address(index=0) == vm.get_address()
    assert vm.get_port(22, nic_index=0) == vm.get_port(22)
    assert vm.get_shared_meminfo() > 0
    assert "-netdev" in vm.make_qemu_command()
    vm.verify_kernel_crash()
    vm.kill_tail_thread()
    assert "shared = " in kvm_test_utils.get_memory_info([vm])


def test_its_address_is_the_one_that_the_guest_sees(vm, session):
    address = kvm_utils.get_mac_address(vm, 0)
    name = kvm_test_utils.get_linux_ifname(session, address)
    assert session.cmd(f"cat /sys/class/net/{name}/address") == address
    with pytest.raises(kvm_vm.VMMACAddressMissingError, match="none of the index 5"):
        vm.get_mac_address(5)


def test_its_monitor_speaks_both_ways(vm):
    assert "running" in vm.monitor.cmd("info status")
    assert vm.monitor.cmd("query-status", args=None, debug=False)["status"] == "running"
    assert vm.monitor.info("status") == vm.monitor.query("status")
    answer = vm.monitor.cmd_obj({"execute": "query-status", "id": "mine"})
    assert (answer["id"], answer["return"]["status"]) == ("mine", "running")
    assert vm.monitor.cmd_qmp("nonsense", {"x": 1}, "id1")["error"]["class"] == "CommandNotFound"
    assert "QMP" in vm.monitor.get_greeting()
    assert vm.monitor.sendkey("a") == ""
    vm.monitor.verify_responsive()


def test_its_events_come_as_qemu_sends_them(vm):
    vm.monitor.clear_events()
    kvm_test_utils.stop(vm)
    kvm_test_utils.cont(vm)
    assert vm.monitor.get_event("STOP")["event"] == "STOP"
    assert vm.monitor.get_event("STOP")["timestamp"]["seconds"] > 0
    told = [event["event"] for event in vm.monitor.get_events()]
    # A guest that has just booted may have others told, of its network, say.
    assert [event for event in told if event in ("STOP", "RESUME")] == ["STOP", "RESUME"]
    assert vm.monitor.get_event("NONSENSE") is None


def test_its_human_monitor_takes_the_old_arguments(vm):
    human = vm.human_monitor
    assert "running" in human.cmd("info status", timeout=20, debug=False)
    assert human.info("status") == human.query("status")
    assert human.is_responsive()
    assert human.sendkey("ctrl-a", 100) == ""


def test_its_keys_are_typed(vm):
    vm.send_string("Hello, world-1\n")
    vm.send_key("ctrl-,")
    with pytest.raises(ValueError, match="no key is known"):
        vm.send_string("ä")


def test_the_guest_tells_of_its_processors_and_memory(vm, session):
    vm.params = {
        **vm.params,
        "cpu_chk_cmd": "nproc",
        "mem_chk_cmd": "awk '/MemTotal/ {print $2}' /proc/meminfo",
        "mem_chk_cur_cmd": "echo 100 MB; echo 1 GB",
    }
    assert vm.get_cpu_count() == int(session.cmd("nproc"))
    assert 50 < vm.get_memory_size() <= int(vm.params["mem"])
    assert vm.get_current_memory_size() == 1124


def test_logins_take_the_old_arguments(vm):
    with vm.remote_login(nic_index=0, timeout=10) as session:
        assert session.get_command_status("true") == 0
    with vm.wait_for_login(nic_index=0, timeout=60, internal_timeout=10) as session:
        assert session.get_command_output("echo hi") == "hi"
    with pytest.raises(kvmtest.VMAddressError):
        vm.login(nic_index=3)
    with pytest.raises(TypeError):
        vm.wait_for_login(0, 240)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda vm: vm.create(name="another"), "is not renamed"),
        (lambda vm: vm.reboot(nic_index=1), "first network interface only"),
        (lambda vm: vm.migrate(stable_check=True), "states are not compared"),
        (lambda vm: vm.migrate(dest_host="elsewhere"), "not to `elsewhere`"),
        (lambda vm: vm.copy_files_to("a", "b", timeout=1), "not copied to or from guests"),
        (lambda vm: vm.human_monitor.migrate("exec:cat", wait=True), "vm.monitor.migrate"),
    ],
)
def test_what_it_cannot_do_says_so(vm, call, message):
    with pytest.raises(NotImplementedError, match=message):
        call(vm)


def test_a_machine_is_registered_under_its_own_name(tmp_path, vm):
    env = kvmtest.Env.open(tmp_path / "env", {"vms": "vm1", "guest": "small"})
    with pytest.raises(kvmtest.ParamError, match="is called `vm1`, not `dst`"):
        env.register_vm("dst", vm)
    with pytest.raises(TypeError, match="`vm` is missing"):
        env.register_vm("vm1")
    # As without the historical names: what was never started cannot be kept.
    with pytest.raises(kvmtest.VMMissingError, match="was not started"):
        kvm_utils.env_register_vm(env, "vm1", env.define_vm("vm1"))


def test_it_moves_by_the_old_arguments(tmp_path, vm, session):
    session.cmd("sleep 1000 & echo begun")
    before = vm.get_pid()
    assert kvm_test_utils.migrate(vm, None, 600, "unix") is vm
    assert vm.get_pid() != before
    assert "sleep 1000" in session.cmd("ps")
    before = vm.get_pid()
    assert vm.migrate(600, "tcp").status == "completed"
    assert vm.migrate("unix", parameters={"max-bandwidth": 2**30}).status == "completed"
    # It may be through before it is cancelled, and then it has moved.
    vm.migrate(cancel_delay=0.0)
    vm.save_to_file(str(tmp_path / "saved"))
    assert (tmp_path / "saved").stat().st_size > 1 << 20
    assert session.cmd("echo alive") == "alive"
    with pytest.raises(ValueError, match="a protocol is"):
        vm.migrate(600, "pigeon")


# The last ones: afterwards it is another system, or none.


def test_a_migration_can_be_waited_for(vm):
    assert vm.monitor.migrate_set_speed("512m") == ""
    vm.monitor.migrate("exec:cat >/dev/null", wait=True)
    assert vm.monitor.query("migrate")["status"] == "completed"
    kvm_test_utils.cont(vm)


def test_it_quits(vm):
    vm.monitor.quit()
    assert kvm_utils.wait_for(vm.is_dead, 30, 0, 0.05)
