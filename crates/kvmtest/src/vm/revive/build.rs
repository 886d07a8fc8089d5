//! Makes a state: boots or takes the state before, does the steps, and saves what has come of it.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;

use camino::Utf8Path;

use super::{DEVICES, Facts, MEMORY, Shell};
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::migration::{self, Choice, Target};
use crate::state::{self, Draft, State, Step, Subtests};
use crate::test_utils::LOGIN_TIMEOUT;
use crate::vm::command::{Layers, MemoryFile, has_plain_memory};
use crate::vm::create::Plan;
use crate::vm::incarnation::Incarnation;
use crate::vm::migrate::verify_unblocked;
use crate::vm::{Record, Vm, shared};

impl Vm {
    /// Makes the state of `wanted` in `draft`. The machine that it is made on has this VM's name
    /// and place in the env file for that time.
    pub(super) fn build(
        &self,
        plan: &Plan,
        parent: Option<&State>,
        wanted: &state::Plan,
        draft: &Draft,
        subtests: &mut dyn Subtests,
    ) -> Result<state::Facts> {
        self.verify_saveable(plan)?;
        self.destroy(false)?;
        let (layers, shell) = match parent {
            None => (Layers::new(), self.boot_for_state(plan)?),
            Some(parent) => self.revive_for_state(plan, parent)?,
        };
        for step in &wanted.steps {
            self.do_step(step, subtests)?;
        }
        let facts = self.save_state(layers, shell, draft)?;
        self.destroy(false)?;
        let facts = serde_json::to_value(facts).map_err(std::io::Error::from)?;
        Ok(facts.into())
    }

    /// Refuses what can never be saved, before it is booted.
    fn verify_saveable(&self, plan: &Plan) -> Result<()> {
        let line = self.plain_line(plan, &Incarnation::nowhere())?;
        verify_unblocked(&migration::blockers_of(&line.models, &line.args))?;
        let params = self.params();
        let shared = params.objects("images").into_iter().find(|name| {
            params.object_params(name).get_bool_or("image_shareable", false).unwrap_or(false)
        });
        if let Some(name) = shared {
            let message = format!(
                "no state can be kept of a machine whose image `{name}` others write to \
                 (`image_shareable = yes`)"
            );
            return Err(Error::new(ErrorKind::MigrateBlocked, message));
        }
        Ok(())
    }

    /// Boots and logs in; says what waits at the serial console.
    fn boot_for_state(&self, plan: &Plan) -> Result<Option<Shell>> {
        let mut incarnation = Incarnation::booting(self.name())?;
        // None so far, and no image is written to.
        incarnation.layers = Some(Layers::new());
        incarnation.migratable = true;
        incarnation.memory = own_memory(self, &incarnation)?;
        let instance = incarnation.instance.clone();
        self.begin(plan, &incarnation).inspect_err(|_| instance.remove()).map_err(|error| {
            // What only QEMU knows of, and says when it is started.
            if error.message().contains("only-migratable") {
                let message = error.message().to_owned();
                error.reworded(ErrorKind::MigrateBlocked, message)
            } else {
                error
            }
        })?;
        self.prepare_to_move()?;
        let params = self.params();
        let timeout = params.get_duration_or("login_timeout", LOGIN_TIMEOUT)?;
        let ways = params.get_or("shell_client", "ssh");
        let serial = ways.split_whitespace().any(|way| way == "serial");
        let mut session = if serial {
            self.wait_for_serial_login(timeout)?
        } else {
            self.wait_for_login(timeout)?
        };
        // What the guest still has to write is in the state in any case; but a guest that is
        // quiet when it is saved is quiet when it goes on.
        let _ = session.cmd("sync");
        let resident = session.is_posix()
            && session
                .cmd_status(r#"[ "$(command -v refresh)" = refresh ] && [ -w /run/refresh ]"#)?
                == 0;
        let shell = if resident { Shell::WithRefresh } else { Shell::Plain };
        Ok(serial.then_some(shell))
    }

    /// Goes on from `parent`, on a copy of its memory that the machine may write to.
    fn revive_for_state(&self, plan: &Plan, parent: &State) -> Result<(Layers, Option<Shell>)> {
        let incarnation = Incarnation::booting(self.name())?;
        self.revive(plan, parent, Incarnation { migratable: true, ..incarnation })?;
        Ok((self.running()?.layers.unwrap_or_default(), Facts::of(parent)?.console))
    }

    fn do_step(&self, step: &Step, subtests: &mut dyn Subtests) -> Result<()> {
        match step {
            Step::Command(command) => {
                let params = self.params();
                let timeout = params.get_duration_or("login_timeout", LOGIN_TIMEOUT)?;
                let mut session = self.wait_for_login(timeout)?;
                let timeout = params.get_duration_or("state_timeout", super::BUILD)?;
                // In a shell of its own, which it may end.
                let own = format!("({command}\n)");
                session.cmd_timeout(if session.is_posix() { &own } else { command }, timeout)?;
                // Whether it knows `sync` is no matter; a guest that has gone down has no state.
                session.cmd_status("sync").map(drop)
            }
            Step::Subtest(name) => {
                subtests.run(self, name).with_context(|| format!("running the subtest `{name}`"))
            }
        }
    }

    /// Saves the machine in `draft` and ends it. `below` is what its disks stand on.
    fn save_state(&self, below: Layers, console: Option<Shell>, draft: &Draft) -> Result<Facts> {
        self.share_memory()?;
        let record = self.running()?;
        let monitor = self.monitor()?;
        self.pause()?;
        let memory = record.memory.as_ref().is_some_and(|memory| memory.share);
        let to = draft.directory();
        let devices = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to.join(DEVICES))
            .with_context(|| format!("making {to}/{DEVICES}"))?;
        let settings = shared::settings(memory);
        let target = Target::Descriptor(devices.into());
        let mut outgoing = migration::start(&monitor, target, &settings)?;
        outgoing.wait(Deadline::after(super::BUILD), |_| Choice::GoOn)?;
        // Only a QEMU that has ended writes to none of the files any more.
        self.end_process()?;
        if memory {
            let file = to.join(MEMORY);
            std::fs::hard_link(record.instance.memory(), &file)
                .with_context(|| format!("making {file}"))?;
        }
        let layers = keep_layers(&record, &below, to)?;
        Ok(Facts { seed: record.seed().to_owned(), layers, memory, console })
    }
}

/// The layers of a machine, and what it has written itself as one more.
fn keep_layers(record: &Record, below: &Layers, to: &Utf8Path) -> Result<Layers> {
    let mut layers = Layers::new();
    for image in &record.line.images {
        let Some(top) = &image.overlay else { continue };
        let number = below.get(&image.id).copied().unwrap_or(0);
        for (from, number) in (0..number)
            .filter_map(|number| Some((image.layer(number)?, number)))
            .chain([(top.clone(), number)])
        {
            let layer = to.join(format!("{}.{number}.qcow2", image.id));
            std::fs::hard_link(&from, &layer).with_context(|| format!("making {layer}"))?;
        }
        layers.insert(image.id.clone(), number + 1);
    }
    Ok(layers)
}

/// A memory file for a machine that is to be saved, unless its parameters want another memory.
fn own_memory(vm: &Vm, incarnation: &Incarnation) -> Result<Option<MemoryFile>> {
    let plain = has_plain_memory(&vm.params())?;
    let path = incarnation.instance.memory();
    Ok(plain.then_some(MemoryFile { path, share: true }))
}
