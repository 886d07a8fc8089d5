"""A paused guest answers nobody, and goes on where it was when it is resumed."""

WAIT = 30.0


def run_pause_resume(test, params, env):
    vm = env.get_living_vm(params["main_vm"])
    session = vm.wait_for_login(params.get_duration("login_timeout"))
    boot = session.cmd("cat /proc/sys/kernel/random/boot_id")
    monitor = vm.monitor
    monitor.clear_events()

    vm.pause()
    monitor.wait_event("STOP", WAIT)
    status = monitor.cmd("query-status")
    if status["status"] != "paused" or status["running"]:
        test.fail(f"QEMU says that the paused guest is {status}")
    if "paused" not in vm.send_monitor_cmd("info status"):
        test.fail("the human monitor does not know that the guest is paused")
    if session.is_responsive(timeout=1.0):
        test.fail("the paused guest answers")

    vm.resume()
    monitor.wait_event("RESUME", WAIT)
    # What was typed meanwhile is still on its way.
    if not session.is_responsive(timeout=WAIT):
        test.fail("the resumed guest does not answer")
    if session.cmd("cat /proc/sys/kernel/random/boot_id") != boot:
        test.fail("the guest was booted anew")
