"""The subtest that the reference page leads to, word for word."""

import os
import shutil
import subprocess
import sys

import kvm_utils
import pytest

import kvmtest
import kvmtest.historical

SUBTEST = '''
import kvm_test_utils

def run_foo(test, params, env):
    vm = kvm_test_utils.get_living_vm(env, params.get("main_vm"))
    session = kvm_test_utils.wait_for_login(vm)
    session.sendline("uname -r")
    status, output = session.cmd_status_output("uname -r")
    twin = vm.clone("twin")
    print(vm.send_monitor_cmd("info status"))
'''


def test_it_runs(tmp_path, capsys, vm):
    params = {**vm.params, "vms": "vm1", "main_vm": "vm1"}
    names = {}
    exec(SUBTEST, names)
    with kvmtest.Env.open(tmp_path / "env", params, tmp_path) as env:
        # The page's promise: what does not live is started.
        assert kvm_utils.env_get_all_vms(env) == []
        names["run_foo"](kvmtest.Test(), kvmtest.Params(params), env)
        assert "VM status: running" in capsys.readouterr().out
        vm = kvm_utils.env_get_vm(env, "vm1")
        kvm_utils.env_register_vm(env, "vm1", vm)
        assert [one.name for one in kvm_utils.env_get_all_vms(env)] == ["vm1"]
        vm.destroy(gracefully=False, free_mac_addresses=True)
        kvm_utils.env_unregister_vm(env, "vm1")
        assert kvm_utils.env_get_vm(env, "vm1") is None


MODULES = [
    "kvm_utils",
    "kvm_test_utils",
    "kvm_subprocess",
    "kvm_monitor",
    "kvm_vm",
    "autotest_lib.client.common_lib.error",
    "autotest_lib.client.bin.utils",
]


@pytest.mark.parametrize("is_subtest", [True, False])
def test_types_are_right(tmp_path, is_subtest):
    pytest.importorskip("mypy")
    head = "(test: kvmtest.Test, params: kvmtest.Params, env: kvmtest.Env) -> None"
    text = "import kvmtest\n" + SUBTEST.replace("(test, params, env)", head)
    (tmp_path / "foo.py").write_text(text)
    what = ["foo.py"] if is_subtest else [word for name in MODULES for word in ("-m", name)]
    around = os.path.dirname(os.path.dirname(kvmtest.__file__))
    # Where it was installed it is found anyhow, and mypy refuses to be told of places in there.
    places = [] if os.path.basename(around) == "site-packages" else [around]
    modules = shutil.copytree(kvmtest.historical.path(), tmp_path / "modules")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *what],
        cwd=tmp_path,
        env={"MYPYPATH": os.pathsep.join([*places, str(modules)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_name_of_a_machine_is_an_error_that_says_so():
    import kvm_test_utils

    with pytest.raises(kvmtest.ParamMissingError, match="main_vm"):
        kvm_test_utils.get_living_vm(None, kvmtest.Params().get("main_vm"))
