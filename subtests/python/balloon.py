"""The guest gives memory back through its balloon, and gets it again."""

import kvmtest

MIB = 1 << 20
WAIT = 60.0


def run_balloon(test, params, env):
    if not params.get_bool("balloon", False):
        test.skip("needs a balloon: `balloon = yes`")
    vm = env.get_living_vm(params["main_vm"])
    session = vm.wait_for_login(params.get_duration("login_timeout"))
    if session.cmd_status("test -d /sys/module/virtio_balloon") != 0:
        test.skip("the guest has no driver for the balloon (virtio_balloon)")
    whole = vm.monitor.cmd("query-balloon")["actual"]
    before = mem_total(session)

    wanted = whole - 64 * MIB
    inflate(test, vm.monitor, wanted)
    less = mem_total(session)
    test.log(f"the guest had {before} KiB, and has {less} KiB now")
    if before - less < 60 << 10:
        test.fail(f"64 MiB were taken, but the guest has only {before - less} KiB less")

    inflate(test, vm.monitor, whole)
    if mem_total(session) < before:
        test.fail(f"the guest had {before} KiB, and did not get all of it again")


def inflate(test, monitor, wanted):
    monitor.clear_events()
    monitor.cmd("balloon", value=wanted)
    while (actual := monitor.cmd("query-balloon")["actual"]) != wanted:
        try:
            monitor.wait_event("BALLOON_CHANGE", WAIT)
        except kvmtest.MonitorTimeoutError:
            test.fail(f"the balloon is at {actual} bytes, not at {wanted}, and does not move")


def mem_total(session):
    return int(session.cmd("awk '/^MemTotal:/ {print $2}' /proc/meminfo"))
