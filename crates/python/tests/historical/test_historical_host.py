"""What subtests do on the host: `kvm_utils` and `utils`."""

import io
import os
import signal
import socket
import subprocess
import threading
import time

import kvm_utils
import pytest
from autotest_lib.client.bin import utils
from autotest_lib.client.common_lib import error

import kvmtest

LONG = 30


@pytest.mark.parametrize(
    ("address", "number"),
    [("00:00:00:00:00:00", 0), ("52:54:00:12:34:56", 0x525400123456), ("ff:0:0:0:0:1", None)],
)
def test_mac_addresses_are_numbers(address, number):
    if number is None:
        assert kvm_utils.mac_str_to_int(address) == 0xFF0000000001
    else:
        assert kvm_utils.mac_str_to_int(address) == number
        assert kvm_utils.mac_int_to_str(number) == address


@pytest.mark.parametrize(
    ("base", "offset", "result"),
    [("10.0.0.1", 1, "10.0.0.2"), ("10.0.0.255", 1, "10.0.1.0"), ("10.0.1.0", -1, "10.0.0.255")],
)
def test_ip_addresses_are_counted(base, offset, result):
    assert kvm_utils.offset_ip(base, offset) == result


def test_mac_addresses_are_counted():
    assert kvm_utils.offset_mac("52:54:00:00:00:ff", 1) == "52:54:00:00:01:00"


@pytest.mark.parametrize("address", ["", "52:54", "52:54:00:12:34:56:78", "xx:54:00:12:34:56"])
def test_what_is_no_mac_address_is_refused(address):
    with pytest.raises(ValueError):
        kvm_utils.mac_str_to_int(address)


def test_waiting_gives_what_came():
    answers = iter([None, 0, "", "there"])
    assert kvm_utils.wait_for(lambda: next(answers), LONG, 0, 0.001, "looking") == "there"


def test_waiting_has_an_end_and_looks_at_least_once():
    looks = []
    assert kvm_utils.wait_for(lambda: looks.append(1), 0, 0, 100) is None
    assert looks == [1]


def test_params_are_seen_as_an_object_sees_them():
    params = {"mem": "1", "mem_vm2": "2", "vms": "vm1 vm2"}
    assert kvm_utils.get_sub_dict(params, "vm2")["mem"] == "2"
    assert kvm_utils.get_sub_dict(kvmtest.Params(params), "vm1")["mem"] == "1"
    assert kvm_utils.get_sub_dict_names(params, "vms") == ["vm1", "vm2"]
    assert kvm_utils.get_sub_dict_names(params, "nics") == []


def test_programs_are_found_where_they_usually_are():
    assert os.access(kvm_utils.find_command("sh"), os.X_OK)
    with pytest.raises(ValueError, match="no-such-program"):
        kvm_utils.find_command("no-such-program")


def test_processes_are_told_and_ended():
    process = subprocess.Popen(["sleep", "60"])
    assert kvm_utils.pid_exists(process.pid)
    assert utils.pid_is_alive(process.pid)
    assert kvm_utils.safe_kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not kvm_utils.pid_exists(process.pid)
    assert not kvm_utils.safe_kill(process.pid, signal.SIGKILL)
    assert not utils.pid_is_alive(process.pid)
    assert utils.signal_pid(process.pid, signal.SIGKILL)


def test_a_process_is_ended_with_all_that_descend_from_it():
    script = "sleep 60 & echo $!; sh -c 'sleep 60 & echo $!; wait' & wait"
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
    children = [int(process.stdout.readline()) for _ in range(2)]
    kvm_utils.kill_process_tree(process.pid)
    assert process.wait(LONG) == -signal.SIGKILL
    for child in children:
        assert kvm_utils.wait_for(lambda c=child: not utils.pid_is_alive(c), LONG, 0, 0.02)
    kvm_utils.kill_process_tree(process.pid)


def test_ports_are_free_or_not():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not kvm_utils.is_port_free(port, "localhost")
        assert kvm_utils.find_free_port(port, port + 1) is None
        assert port not in kvm_utils.find_free_ports(port, min(port + 50, 65535), 3)
    assert kvm_utils.find_free_ports(20000, 20000, 3) == []


@pytest.mark.parametrize(
    ("base", "path", "result"),
    [("/a", "b", "/a/b"), ("/a", "/b", "/b"), ("", "b", "b")],
)
def test_a_path_is_absolute_or_below_another(base, path, result):
    assert kvm_utils.get_path(base, path) == result


def test_random_names_differ(tmp_path):
    assert len(kvm_utils.generate_random_string(20)) == 20
    assert kvm_utils.generate_random_id() != kvm_utils.generate_random_id()
    assert kvm_utils.generate_random_id().startswith("id")
    path = kvm_utils.generate_tmp_file_name("disk", "raw", str(tmp_path))
    assert os.path.dirname(path) == str(tmp_path)
    assert path.endswith(".raw")
    assert not os.path.exists(path)


def test_a_log_of_ones_own_has_the_time(tmp_path):
    kvm_utils.set_log_file_dir(str(tmp_path / "logs"))
    try:
        kvm_utils.log_line("mine", "one")
        kvm_utils.log_line("mine", "two")
    finally:
        kvm_utils.set_log_file_dir("")
    lines = (tmp_path / "logs" / "mine").read_text().splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == ["one", "two"]


def test_a_hash_is_found_in_a_list(tmp_path):
    (tmp_path / "sums").write_text("# list\n0123 *other.iso\nabcd *disc.iso\n")
    assert kvm_utils.get_hash_from_file(str(tmp_path / "sums"), "disc.iso") == "abcd"
    with pytest.raises(ValueError, match="nothing about"):
        kvm_utils.get_hash_from_file(str(tmp_path / "sums"), "none.iso")


def test_what_is_not_mounted_need_not_be_unmounted(tmp_path):
    assert kvm_utils.umount("nothing", str(tmp_path), "tmpfs")


def test_threads_return_and_raise():
    def fail():
        raise ValueError("wrong")

    thread = kvm_utils.Thread(lambda a, b: a + b, (1,), {"b": 2})
    thread.start()
    assert thread.join() == 3
    thread = kvm_utils.Thread(fail)
    thread.start()
    assert thread.join(suppress_exception=True) is None
    thread = kvm_utils.Thread(fail)
    thread.start()
    with pytest.raises(ValueError, match="wrong"):
        thread.join()


def test_a_thread_that_is_late_gives_nothing():
    done = threading.Event()
    thread = kvm_utils.Thread(done.wait)
    thread.start()
    assert thread.join(0.01) is None
    done.set()
    assert thread.join() is True


def test_functions_run_at_one_time_and_answer_in_order():
    both = threading.Barrier(2, timeout=LONG)

    def meet(name="nobody", *, suffix=""):
        both.wait()
        return name + suffix

    assert kvm_utils.parallel([(meet, ("a",)), (meet, ("b",), {"suffix": "!"})]) == ["a", "b!"]
    assert kvm_utils.parallel([lambda: 1, (lambda: 2,)]) == [1, 2]


def test_all_are_waited_for_before_a_failure_is_raised():
    done = []

    def slow():
        time.sleep(0.2)
        done.append(1)

    def fail():
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        kvm_utils.parallel([fail, slow])
    assert done == [1]


def test_a_wrong_env_is_refused():
    with pytest.raises(TypeError, match="`Env` is needed, not dict"):
        kvm_utils.dump_env({})


def test_an_env_file_is_opened_and_need_not_be_written(tmp_path):
    env = kvm_utils.load_env(tmp_path / "env")
    kvm_utils.dump_env(env, str(tmp_path / "env"))
    assert kvm_utils.env_get_all_vms(env) == []
    assert kvm_utils.env_get_vm(env, "vm1") is None
    with pytest.raises(NotImplementedError, match="nothing to save"):
        env.save()


def test_what_cannot_be_logged_in_to_is_none():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert kvm_utils.netcat("127.0.0.1", port, "root", "x", "#", timeout=0.2) is None
    with pytest.raises(kvm_utils.LoginError):
        kvm_utils.remote_login("nc", "127.0.0.1", port, "root", "x", "#", timeout=0.2)


def test_a_command_gives_all_of_its_result():
    out, err = io.StringIO(), io.StringIO()
    result = utils.run("cat; echo b >&2", stdin="a\n", stdout_tee=out, stderr_tee=err)
    assert (result.exit_status, result.stdout, result.stderr) == (0, "a\n", "b\n")
    assert (out.getvalue(), err.getvalue()) == ("a\n", "b\n")


def test_a_command_that_fails_raises_with_what_it_said():
    with pytest.raises(error.CmdError, match="`echo no >&2; exit 4` ended with 4: no") as raised:
        utils.run("echo no >&2; exit 4")
    assert raised.value.result_obj.exit_status == 4
    assert isinstance(raised.value, error.TestError)
    assert utils.run("exit 4", ignore_status=True).exit_status == 4
    assert utils.system("exit 4", ignore_status=True) == 4
    with pytest.raises(error.CmdError):
        utils.system("exit 4")


def test_a_command_that_takes_too_long_is_ended_with_its_children():
    begun = time.monotonic()
    with pytest.raises(error.CmdError, match=r"did not end within 3(\.0)? s") as raised:
        utils.run("echo begun; sleep 60 & wait", timeout=3, ignore_status=True)
    assert raised.value.result_obj.stdout == "begun\n"
    assert time.monotonic() - begun < LONG


@pytest.mark.parametrize("value", ["a b", "it's", "$HOME", "`id`", "; exit 3", "*", "-n", ""])
def test_values_are_handed_over_as_they_are(value):
    assert utils.system_output("printf '[%s]'", args=[value]) == f"[{value}]"


@pytest.mark.parametrize(
    ("command", "output"),
    [("echo a", "a"), ("printf a", "a"), ("printf 'a\\n\\n'", "a\n"), ("true", "")],
)
def test_one_line_end_is_taken_off(command, output):
    assert utils.system_output(command, retain_output=True) == output


def test_outputs_of_several_commands_come_in_order():
    assert utils.system_output_parallel(["sleep 0.1; echo a", "echo b"]) == ["a", "b"]


def test_files_are_read_and_written(tmp_path):
    path = tmp_path / "file"
    utils.open_write_close(path, "one\ntwo\n")
    assert utils.read_one_line(path) == "one"
    assert utils.read_file(path) == "one\ntwo\n"
    utils.write_one_line(path, "three\n")
    assert utils.read_file(path) == "three\n"


def test_facts_are_kept_in_a_folder(tmp_path):
    assert utils.read_keyval(tmp_path) == {}
    utils.write_keyval(tmp_path, {"a": 1, "b": "x=y"})
    utils.write_keyval(tmp_path, {"c": 1.5})
    assert utils.read_keyval(tmp_path) == {"a": 1, "b": "x=y", "c": 1.5}
    (tmp_path / "keyval").write_text("no fact\n")
    with pytest.raises(ValueError, match="no `key=value`"):
        utils.read_keyval(tmp_path)


@pytest.mark.parametrize(
    ("size", "method", "digest"),
    [
        (None, "md5", "900150983cd24fb0d6963f7d28e17f72"),
        (3, "md5", "900150983cd24fb0d6963f7d28e17f72"),
        (1, "md5", "0cc175b9c0f1b6a831c399e269772661"),
        (None, "sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ],
)
def test_files_are_hashed(tmp_path, size, method, digest):
    (tmp_path / "file").write_text("abc")
    assert utils.hash_file(tmp_path / "file", size, method) == digest


def test_the_host_is_told():
    assert utils.count_cpus() >= 1
    assert utils.get_arch() == utils.get_current_kernel_arch() == os.uname().machine
