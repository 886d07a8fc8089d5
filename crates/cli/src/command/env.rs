//! `kvmtest env`: the machines that live.

use std::collections::BTreeSet;
use std::time::Duration;

use kvmtest::env::{self, Collected, Env, Face};
use kvmtest::vm::Vm;
use kvmtest::{Error, ErrorKind, Result};
use kvmtest_runner::{exit_code, scratch};

use super::usage::user;
use crate::args::EnvCommand;
use crate::terminal::{note, say, table};

pub(super) fn execute(command: Option<EnvCommand>) -> Result<u8> {
    match command.unwrap_or(EnvCommand::List) {
        EnvCommand::List => list(),
        EnvCommand::Kill { vm: Some(vm), env, force } => kill(&vm, env.as_deref(), force),
        EnvCommand::Kill { vm: None, .. } => kill_all(),
        EnvCommand::Gc => collect(),
    }
}

/// Clears up what earlier commands could not, because they and their guards were killed; says what
/// it did of machines, and what stays.
pub(super) fn clear_up() -> Result<()> {
    for thing in env::collect(env::Reach::Abandoned)? {
        note(format!("kvmtest: {thing}"));
    }
    for thing in scratch::collect(&scratch::root()?)? {
        if matches!(thing, Collected::Stays(_)) {
            note(format!("kvmtest: {thing}"));
        }
    }
    Ok(())
}

fn list() -> Result<u8> {
    let (mut rows, mut unguarded) = (Vec::new(), Vec::new());
    for (env, vm) in living()? {
        if vm.is_unguarded()? {
            unguarded.push(vm.name().to_owned());
        }
        let mut row = row(&vm)?;
        row.push(env);
        rows.push(row);
    }
    if rows.is_empty() {
        say("no machine lives");
        return Ok(0);
    }
    let several = several(rows.iter().filter_map(|row| row.first()));
    let header = ["VM", "PID", "AGE", "MEMORY", "ACCEL", "LEASE", "SSH", "ENV"];
    rows.insert(0, header.map(str::to_owned).to_vec());
    say(table(&rows).trim_end());
    for name in unguarded {
        say(format!(
            "\nthe guard of {name} is gone: when its lease is over nothing ends it: `kvmtest env gc` \
             does, or the next run"
        ));
    }
    say("\nto get in: kvmtest console VM, kvmtest ssh VM, kvmtest monitor VM");
    if let Some(name) = several {
        say(format!("of several called {name}, say which: kvmtest console --env ENV {name}"));
    }
    Ok(0)
}

/// A name that more than one machine has.
fn several<'a>(names: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name)).cloned()
}

fn row(vm: &Vm) -> Result<Vec<String>> {
    let record = vm.record().ok_or_else(|| gone(vm))?;
    let age = record.process.age()?.unwrap_or_default();
    let memory = record.process.rss_bytes()?.unwrap_or_default();
    let lease = match vm.lease() {
        Ok(lease) if lease.is_in_use() => "in use by a run".to_owned(),
        Ok(lease) => match lease.time_left() {
            Some(left) => format!("{} left", coarse(left)),
            None => "ending".to_owned(),
        },
        Err(_) => "none".to_owned(),
    };
    // Asking takes the monitor, which a run may have for itself.
    let in_use = lease.starts_with("in use");
    let port = if in_use { None } else { vm.get_port(22, 0).ok() };
    let ssh = port.map_or_else(|| "-".to_owned(), |port| format!("127.0.0.1:{port}"));
    Ok(vec![
        vm.name().to_owned(),
        record.process.pid.to_string(),
        coarse(age),
        format!("{} MiB", memory >> 20),
        record.accel,
        lease,
        ssh,
    ])
}

fn kill(name: &str, of: Option<&str>, force: bool) -> Result<u8> {
    let vm = env::find_vm_in(name, of)?;
    match user(&vm) {
        // The run sees that it died, and clears up after it.
        Some(_) if force => vm.kill()?,
        Some(pid) => {
            let message = format!(
                "left alone, a run is using it: {name}: end the run (Ctrl-C, or `kill -INT \
                 {pid}`), or `kvmtest env kill --force {name}`, and its test fails"
            );
            return Err(Error::new(ErrorKind::Env, message));
        }
        None => vm.destroy(false)?,
    }
    say(format!("ended: {name}"));
    tidy()
}

fn kill_all() -> Result<u8> {
    let vms = living()?;
    if vms.is_empty() {
        say("no machine lives");
    }
    for (_, vm) in vms {
        if user(&vm).is_some() {
            say(format!("left alone, a run is using it: {}", vm.name()));
            continue;
        }
        vm.destroy(false)?;
        say(format!("ended: {}", vm.name()));
    }
    tidy()
}

fn tidy() -> Result<u8> {
    for path in env::files()? {
        Env::open(&path)?.tidy()?;
    }
    env::remove_empty_directories()?;
    Ok(0)
}

fn collect() -> Result<u8> {
    let mut collected = env::collect(env::Reach::Everything)?;
    collected.extend(scratch::collect(&scratch::root()?)?);
    if collected.is_empty() {
        say("nothing to clear up");
    }
    for thing in &collected {
        say(thing.to_string());
    }
    let is_clear = !collected.iter().any(|thing| matches!(thing, Collected::Stays(_)));
    Ok(if is_clear { 0 } else { exit_code::SOME_FAILED })
}

/// The machines that live, each with the name of its environment.
fn living() -> Result<Vec<(String, Vm)>> {
    let mut living = Vec::new();
    for path in env::files()? {
        for vm in Env::open(&path)?.with_face(Face::Harness).get_all_vms()? {
            if !vm.is_dead()? {
                living.push((path.file_stem().unwrap_or_default().to_owned(), vm));
            }
        }
    }
    Ok(living)
}

fn gone(vm: &Vm) -> Error {
    Error::new(ErrorKind::VmDead, format!("the VM `{}` is gone", vm.name()))
}

fn coarse(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}
