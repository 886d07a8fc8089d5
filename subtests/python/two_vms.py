"""Two machines run beside each other, and neither notices what becomes of the other."""


def run_two_vms(test, params, env):
    names = params.objects("vms")
    if len(names) < 2:
        test.skip("needs two machines: `vms = vm1 vm2`")
    one, other = (env.get_living_vm(name) for name in names[:2])
    timeout = params.get_duration("login_timeout")
    # Both boot meanwhile: waiting for one is waiting for the other.
    first = one.wait_for_login(timeout)
    second = other.wait_for_login(timeout)

    boots = [s.cmd("cat /proc/sys/kernel/random/boot_id").strip() for s in (first, second)]
    if boots[0] == boots[1]:
        test.fail(f"both sessions lead to one guest, whose boot id is {boots[0]}")
    second.cmd("echo here > /tmp/mark")
    if first.cmd_status("test -e /tmp/mark") == 0:
        test.fail(f"{one.name} has the file that was made in {other.name}")

    one.destroy()
    if second.cmd("cat /tmp/mark").strip() != "here":
        test.fail(f"{other.name} lost its file when {one.name} was destroyed")
