"""QEMU answers on its monitor while the guest is busy with a long command."""

import threading

LOAD = "head -c 20000000 /dev/zero | md5sum"
SUM = "10e4462c9d0b08e7f0b304c4fbfeafa3"


def run_busy_guest(test, params, env):
    vm = env.get_living_vm(params["main_vm"])
    session = vm.wait_for_login(params.get_duration("login_timeout"))
    monitor = vm.monitor
    done = threading.Event()
    seen = []

    def ask():
        while not done.wait(0.1):
            seen.append(monitor.cmd("query-status", timeout=30.0)["status"])

    watcher = threading.Thread(target=ask, name="monitor")
    watcher.start()
    try:
        output = session.cmd(LOAD, timeout=params.get_duration("busy_timeout", 120.0))
    finally:
        done.set()
        watcher.join()

    test.write_keyval("answers", len(seen))
    if not seen:
        test.fail("the monitor did not answer once while the guest was busy")
    if set(seen) != {"running"}:
        test.fail(f"the guest was not always running: {sorted(set(seen))}")
    if not output.startswith(SUM):
        test.fail(f"the guest cannot count: {output.strip()!r} instead of {SUM}")
