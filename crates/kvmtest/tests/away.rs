//! A real guest that was away: it sleeps and wakes, and is told what it missed. Skipped, with a
//! sentence, where the guest, QEMU or the program that guards machines is not there.

#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::guest::{Clock, GuestStore, Refresh};
use kvmtest::qemu::Binary;
use kvmtest::session::Session;
use kvmtest::{Env, ErrorKind, Params, Vm};

const PATIENCE: Duration = Duration::from_secs(120);

/// A guest with somebody logged in, in an environment of its own.
struct Machine {
    session: Session,
    vm: Vm,
    directory: tempfile::TempDir,
}

impl Machine {
    fn boot(more: &[(&str, &str)]) -> Option<Self> {
        let program = program()?;
        let directory = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(directory.path()).expect("UTF-8");
        let params: Params = [
            ("guest", "small"),
            ("mem", "256"),
            ("nics", "nic1"),
            ("nic_model", "virtio"),
            ("shell_client", "serial"),
            ("username", "root"),
            ("password", "kvmtest"),
        ]
        .iter()
        .chain(more)
        .copied()
        .collect();
        let env = Env::open(&root.join("env.json")).expect("an env").with_params(&params);
        env.set_guard(&program).expect("written");
        std::fs::File::create(root.join("swap.raw"))
            .and_then(|file| file.set_len(512 << 20))
            .expect("a sparse file");
        let vm = env.define_vm("vm1").expect("defined");
        let images = [("images_dir", root.as_str())].into_iter();
        let params = vm.params().iter().chain(images).collect();
        vm.set_params(params);
        vm.create().expect("it starts");
        let session = vm.wait_for_login(PATIENCE).expect("it boots");
        Some(Self { session, vm, directory })
    }

    #[track_caller]
    fn says(&mut self, command: &str, expected: &str) {
        let output = self.session.cmd_timeout(command, PATIENCE);
        assert_eq!(output.expect("it answers"), expected, "{command}");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.vm.destroy(false).expect("it ends");
        assert!(self.directory.path().exists());
    }
}

/// The program, if everything is there that a machine needs: `KVMTEST_PROGRAM`, or the one that was
/// built beside this.
fn program() -> Option<Utf8PathBuf> {
    let named = std::env::var("KVMTEST_PROGRAM").ok().map(Utf8PathBuf::from);
    let program = named.unwrap_or_else(|| {
        let this = std::env::current_exe().expect("a path");
        let built = Utf8Path::from_path(&this).and_then(|path| path.parent()?.parent());
        built.expect("below `target`").join("kvmtest")
    });
    let missing = if let Err(error) = GuestStore::open().and_then(|store| store.find("small")) {
        error.to_string()
    } else if let Err(error) = Binary::find("") {
        error.to_string()
    } else if !program.is_file() {
        format!("{program} is not built")
    } else {
        return Some(program);
    };
    println!("skipped: {missing}");
    None
}

#[test]
fn a_guest_is_told_what_it_missed() {
    let Some(mut machine) = Machine::boot(&[]) else { return };
    let clock = Clock::of(&machine.vm.params());
    let nic = &machine.vm.record().expect("it runs").line.nics[0];
    let (old, new) = (nic.mac.clone(), "9a:00:00:00:00:17");
    // Its lease comes a little after the login.
    let leased = "until ip route | grep -q ^default; do sleep 0.1; done; echo leased";
    machine.says(leased, "leased");
    machine.says("date -u -s @1000000 > /dev/null; cat /sys/class/net/eth0/address", &old);
    assert!(clock.lag(&mut machine.session).expect("the time") > 1e6);

    let asked = [("state_network", "bounce"), ("state_mac", "new")].into_iter().collect();
    let mut refresh = Refresh::of(&asked).expect("right params");
    refresh.replace_mac(&old, new).expect("addresses");
    refresh.run(&mut machine.session, SystemTime::now()).expect("it answers");
    // Half of it is that busybox has no fractions; the rest is for a host that is busy.
    let lag = clock.lag(&mut machine.session).expect("the time");
    assert!(lag.abs() < 30.0, "{lag}");
    machine.says("cat /sys/class/net/eth0/address", new);
    machine.says(leased, "leased");
    machine.says("until ping -c 1 -W 1 10.0.2.2 > /dev/null; do :; done; echo there", "there");

    let asked = [("state_clock", "keep"), ("state_seed", "keep")].into_iter().collect();
    machine.says("date -u -s @1000000 > /dev/null; echo", "");
    let refresh = Refresh::of(&asked).expect("right params");
    refresh.run(&mut machine.session, SystemTime::now()).expect("nothing is asked");
    assert!(clock.lag(&mut machine.session).expect("the time") > 1e6);
}

#[test]
fn a_guest_sleeps_and_wakes() {
    let swap = [
        // A `q35` sleeps once.
        ("machine_type", "pc"),
        ("images", "image1 swap"),
        ("image_name_swap", "swap"),
        ("image_format_swap", "raw"),
    ];
    let Some(mut machine) = Machine::boot(&swap) else { return };
    let Machine { session, vm, .. } = &mut machine;

    assert!(!vm.is_paused().expect("a status"));
    vm.pause().expect("stopped");
    assert!(vm.is_paused().expect("a status") && !vm.is_suspended().expect("a status"));
    // Its guest answers nobody: nothing is waited for.
    for refused in [vm.suspend_to_ram(session, PATIENCE), vm.suspend_to_disk(session, PATIENCE)] {
        let error = refused.expect_err("it is paused");
        assert!(error.to_string().contains("is paused, so its guest does nothing"), "{error}");
    }
    vm.resume().expect("running");
    assert!(!vm.is_paused().expect("a status"));

    let error = vm.wake(PATIENCE).expect_err("it does not sleep");
    assert_eq!(error.kind(), ErrorKind::MonitorCommand, "{error}");
    for _ in 0..2 {
        vm.suspend_to_ram(session, PATIENCE).expect("it sleeps");
        assert!(vm.is_suspended().expect("a status") && vm.is_alive());
        let error = vm.suspend_to_ram(session, PATIENCE).expect_err("it sleeps");
        assert!(error.to_string().contains("the guest sleeps already"), "{error}");
        let moved = vm.migrate(&kvmtest::vm::MigrateOptions::default()).map(drop);
        for refused in [moved, vm.fork("twin").map(drop), vm.savevm("asleep")] {
            let error = refused.expect_err("it would not wake there");
            assert_eq!(error.kind(), ErrorKind::MigrateFailed, "{error}");
            assert!(error.to_string().contains("wake it first"), "{error}");
        }
        assert!(vm.is_suspended().expect("a status") && vm.is_alive());
        vm.wake(PATIENCE).expect("it wakes");
        session.read_up_to_prompt_timeout(PATIENCE).expect("its prompt");
        assert_eq!(session.cmd_timeout("echo awake", PATIENCE).expect("a shell"), "awake");
        assert!(!vm.is_suspended().expect("a status"));
    }

    let error = vm.suspend_to_disk(session, PATIENCE).expect_err("it has no swap").to_string();
    assert!(error.contains("cannot suspend to disk: it has no S4, or no swap"), "{error}");
    assert!(!vm.expected().expect("it lives").shutdown, "nothing was begun");
    session
        .cmd_timeout(
            "mkswap /dev/vdb && swapon /dev/vdb && echo 254:16 > /sys/power/resume",
            PATIENCE,
        )
        .expect("swap");
    vm.suspend_to_disk(session, PATIENCE).expect("it sleeps for long");
    assert!(vm.is_dead().expect("known") && vm.expected().expect("it is known").shutdown);
}

#[test]
fn a_guest_that_does_not_sleep_says_why() {
    let wrong = [("suspend_command", "echo 'I will not' >&2"), ("can_suspend_command", "true")];
    let Some(mut machine) = Machine::boot(&wrong) else { return };
    let Machine { session, vm, .. } = &mut machine;
    let error = vm.suspend_to_ram(session, Duration::from_secs(3)).expect_err("it refuses");
    assert_eq!(error.kind(), ErrorKind::MonitorTimeout, "{error}");
    assert!(error.to_string().contains("I will not"), "{error}");
    vm.kill().expect("killed");
    let error = vm.wake(PATIENCE).expect_err("it is dead");
    assert!(!error.to_string().is_empty());
}
