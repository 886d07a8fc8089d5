"""A clone is a machine of its own, which lives beside the one that it was made from."""

import kvm_test_utils


def run_clone_vm(test, params, env):
    vm = kvm_test_utils.get_living_vm(env, params.get("main_vm"))
    session = kvm_test_utils.wait_for_login(vm)

    twin = vm.clone("twin")
    if twin.is_alive():
        test.fail("the clone lives before anybody has started it")
    twin.create()
    twin_session = kvm_test_utils.wait_for_login(twin)

    session.sendline("echo from the first > /tmp/who")
    session.cmd("sync")
    status, output = twin_session.cmd_status_output("cat /tmp/who")
    if status == 0:
        test.fail(f"the clone has the file of the first machine: {output}")
    boots = [s.cmd("cat /proc/sys/kernel/random/boot_id") for s in (session, twin_session)]
    if boots[0] == boots[1]:
        test.fail(f"both sessions lead to one guest, whose boot id is {boots[0]}")

    twin.destroy()
    if session.cmd("cat /tmp/who").strip() != "from the first":
        test.fail("the first machine lost its file when the clone was destroyed")
