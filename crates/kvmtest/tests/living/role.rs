//! What else this program is: a guard, and whoever is killed in the middle of something.

use std::process::{Child, Command, ExitCode, Stdio};

use camino::Utf8PathBuf;
use kvmtest::Env;
use kvmtest::state::NoSubtests;
use kvmtest::vm::{Protocol, SaveOptions};

use crate::machine::{env, slow};
use crate::place::Place;

/// Plays the role that `args` name, if they name one.
pub(crate) fn play(args: &[String]) -> Option<ExitCode> {
    kvmtest::lease::find_program_by(this);
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let ended = match words[..] {
        ["guard"] => kvmtest::lease::serve_guard(std::io::stdin(), std::io::stdout()),
        ["role", ref role @ ..] => actor(role),
        _ => return None,
    };
    Some(match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    })
}

/// Starts this program as `role`.
pub(crate) fn start(role: &[&str]) -> Child {
    command(role).spawn().expect("it starts")
}

/// This program as `role`.
pub(crate) fn command(role: &[&str]) -> Command {
    let mut command = Command::new(this().expect("a path"));
    command.arg("role").args(role).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// This program, which is the guard of its machines.
fn this() -> kvmtest::Result<Utf8PathBuf> {
    let this = std::env::current_exe()?;
    Ok(Utf8PathBuf::from_path_buf(this).expect("UTF-8"))
}

fn actor(role: &[&str]) -> kvmtest::Result<()> {
    let place = Place::here().expect("it is in a place");
    let known = || Env::open(&place.work.join("env.json"))?.get_living_vm("vm1");
    match role {
        ["build"] => {
            let vm = env(&place, &[]).define_vm("vm1")?;
            vm.build_state(&mut NoSubtests).map(drop)
        }
        ["migrate", protocol, speed] => {
            let mut options = slow(protocol.parse::<Protocol>()?);
            if speed.starts_with("fast") {
                options.settings.bandwidth = Some(1 << 40);
            }
            options.offline = speed.ends_with("live").then_some(false);
            known()?.migrate(&options).map(drop)
        }
        ["fork"] => known()?.fork("twin").map(drop),
        ["restore"] => known()?.restore_from_file(&place.work.join("saved")),
        ["save"] => known()?.save_to_file(&place.work.join("saved"), SaveOptions::default()),
        _ => panic!("no such role: {role:?}"),
    }
}
