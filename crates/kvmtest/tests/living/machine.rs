//! A machine on the guest `small`, started from a state.

use std::sync::Arc;
use std::time::Duration;

use kvmtest::migration::{Choice, Figures};
use kvmtest::monitor::QmpMonitor;
use kvmtest::session::Session;
use kvmtest::state::NoSubtests;
use kvmtest::vm::{MigrateOptions, Protocol};
use kvmtest::{Deadline, Env, Params, Vm};

use crate::place::Place;

/// How long anything may take: far longer than it ever does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const PARAMS: &str = "
    vms = vm1\n main_vm = vm1\n images = data\n nics = nic1\n monitors = qmp1 qmp2\n redirs = ssh
    machine_type = q35\n smp = 1\n mem = 128\n guest = small\n accel = auto
    nic_model = virtio\n nic_mode = user\n guest_port_ssh = 22
    username = root\n password = kvmtest\n shell_prompt = [\\#\\$]\\s*$
    shell_client = serial ssh\n shell_port = 22\n login_timeout = 60";

/// What every machine is made from, and `more`.
pub(crate) fn params(more: &[(&str, &str)]) -> Params {
    let lines = PARAMS.lines().filter_map(|line| line.split_once('='));
    lines.map(|(key, value)| (key.trim(), value.trim())).chain(more.iter().copied()).collect()
}

/// The env of a test, whose machines have `more` params.
pub(crate) fn env(place: &Place, more: &[(&str, &str)]) -> Env {
    Env::open(&place.work.join("env.json")).expect("opened").with_params(&params(more))
}

/// A machine with a session on its console.
pub(crate) struct Machine {
    pub(crate) env: Env,
    pub(crate) vm: Vm,
    pub(crate) session: Session,
}

impl Machine {
    /// Starts one from a state.
    pub(crate) fn start(place: &Place) -> Self {
        Self::with(place, &[])
    }

    /// The same, with more params.
    pub(crate) fn with(place: &Place, more: &[(&str, &str)]) -> Self {
        let env = env(place, more);
        let vm = env.define_vm("vm1").expect("defined");
        vm.create_from_state(&mut NoSubtests).expect("started");
        Self::of(env, vm)
    }

    /// Boots one.
    pub(crate) fn boot(place: &Place, more: &[(&str, &str)]) -> Self {
        let env = env(place, more);
        let vm = env.define_vm("vm1").expect("defined");
        vm.create().expect("started");
        Self::of(env, vm)
    }

    fn of(env: Env, vm: Vm) -> Self {
        let mut session = vm.wait_for_login(PATIENCE).expect("logged in");
        session.cmd("mark=$$").expect("run");
        Self { env, vm, session }
    }

    /// It is the machine that it was, and answers.
    #[track_caller]
    pub(crate) fn answers(&mut self) {
        assert_eq!(self.vm.monitor().expect("alive").status().expect("asked"), "running");
        let same = self.session.cmd("test \"$mark\" = $$ && echo the same");
        assert_eq!(same.expect("it answers"), "the same");
    }

    /// Waits until the guest has its disk on `/data`, which is a moment after its login prompt.
    pub(crate) fn wait_for_disk(&mut self) {
        let wait = "until grep -q ' /data ' /proc/mounts; do usleep 100000; done";
        self.session.cmd_timeout(wait, PATIENCE).expect("mounted");
    }

    /// Lets the guest write to its memory all the time, faster than [`slow`] sends it.
    pub(crate) fn keep_dirtying(&mut self) {
        // Its words are no matter: under emulation, while its memory is watched, a program may
        // fail now and then for no reason of its own (`head: invalid number '16M'`).
        let words = "(while :; do head -c 16M /dev/zero >/tmp/dirt; done) 2>/dev/null & dirt=$!";
        self.session.cmd(words).expect("run");
    }

    pub(crate) fn stop_dirtying(&mut self) {
        self.session.cmd("kill $dirt; rm -f /tmp/dirt").expect("run");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.vm.get_pid().expect("started")
    }

    pub(crate) fn migrate(&self, protocol: Protocol) -> Figures {
        self.vm.migrate(&MigrateOptions::by(protocol)).expect("it goes over")
    }

    /// Ends it.
    pub(crate) fn end(mut self) {
        self.session.close();
        self.vm.destroy(false).expect("ended");
        self.env.tidy().expect("tidied");
    }
}

/// Waits until it is time for something that lasts for some tenths of a second.
#[track_caller]
pub(crate) fn until(mut is_time: impl FnMut() -> bool) {
    let deadline = Deadline::after(PATIENCE);
    while !is_time() {
        assert!(!deadline.expired(), "it was never seen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// So slow that there is time for everything.
pub(crate) fn slow(protocol: Protocol) -> MigrateOptions {
    let mut options = MigrateOptions::by(protocol);
    options.settings.bandwidth = Some(1 << 20);
    options.settings.timeout = PATIENCE;
    options
}

/// Has a migration call `act` once, when the first memory is under way.
pub(crate) fn once_under_way(mut act: impl FnMut()) -> impl FnMut(&Figures) -> Choice {
    let mut has_acted = false;
    move |figures| {
        if !has_acted && figures.status == "active" && figures.transferred > 0 {
            has_acted = true;
            act();
        }
        Choice::GoOn
    }
}

/// Waits until the memory of the machine of the test is on its way to a second QEMU, by the hand
/// of another process.
pub(crate) fn under_way(place: &Place) {
    let env = Env::open(&place.work.join("env.json")).expect("opened");
    let vm = env.get_vm("vm1").expect("read").expect("known");
    // Whoever moves it has the first one.
    let monitor = vm.monitor_named("qmp2").expect("free");
    let deadline = Deadline::after(PATIENCE);
    loop {
        let figures = Figures::ask(&monitor, PATIENCE).expect("asked");
        if figures.status == "active" && figures.transferred > 0 {
            return;
        }
        assert!(!deadline.expired(), "it does not move: {figures}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A monitor that answers.
#[track_caller]
pub(crate) fn asked(monitor: &Arc<QmpMonitor>) -> String {
    monitor.status().expect("it answers")
}
