//! Starts a machine.

use std::os::fd::AsFd;
use std::process::Command;
use std::time::Duration;

use super::command::{self, CommandLine, GuestParts, Paths, Request};
use super::{Instance, Record, Running, Vm};
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::guest::{Guest, GuestStore};
use crate::host::ProcessId;
use crate::host::accel;
use crate::lease::{self, Lease, Start};
use crate::qemu::Binary;
use crate::storage;

/// How long QEMU has to open its monitors.
const START: Duration = Duration::from_secs(20);

/// What a machine is to be made of: all that is decided before anything is started.
struct Plan {
    binary: Binary,
    accel: String,
    guest: Option<Guest>,
}

impl Vm {
    /// Starts the machine from its parameters; what was there of it before is destroyed.
    ///
    /// When this returns QEMU runs and has answered on a monitor; the guest has just begun to
    /// boot. The env file knows the machine from then on.
    pub fn create(&self) -> Result<()> {
        let doing = || format!("starting the VM `{}`", self.name());
        let _doing = doing::begin(doing());
        self.destroy(false).with_context(doing)?;
        self.destroy_namesake().with_context(doing)?;
        let plan = self.plan().with_context(doing)?;
        let instance = Instance::make().with_context(doing)?;
        self.start(plan, &instance).inspect_err(|_| self.give_up(&instance)).with_context(doing)
    }

    /// Ends the machine that the env file has under this name, from another definition of it: its
    /// entry is about to be written over, and nobody would know of it any more.
    fn destroy_namesake(&self) -> Result<()> {
        let known = self.home.file.read()?.vms.remove(self.name());
        known.map_or(Ok(()), |record| Self::from_record(&self.home, record).destroy(false))
    }

    /// Whether the machine that runs is not the one that the parameters describe now.
    pub fn needs_restart(&self) -> Result<bool> {
        let Some(record) = self.record() else { return Ok(true) };
        let plan = self.plan()?;
        let line = self.line(&plan, &record.instance)?;
        let same = record.line.fingerprint() == line.fingerprint()
            && record.line.program == line.program
            && record.accel == plan.accel;
        Ok(!same)
    }

    /// The command that would start the machine now, as a shell script that a person can run.
    pub fn qemu_command(&self) -> Result<String> {
        let plan = self.plan()?;
        let nowhere = Instance {
            id: "preview".into(),
            runtime: "/run/vm".into(),
            scratch: "/scratch".into(),
        };
        Ok(self.line(&plan, &nowhere)?.script())
    }

    fn plan(&self) -> Result<Plan> {
        let params = self.params();
        let binary = Binary::find(params.get_or("qemu_binary", ""))?;
        let accel = accel::choose(params.get_or("accel", "auto"), &binary)?.accel.to_string();
        let guest = match params.find_nonempty("guest") {
            Some(name) => Some(GuestStore::open()?.find(name)?),
            None => None,
        };
        Ok(Plan { binary, accel, guest })
    }

    fn line(&self, plan: &Plan, instance: &Instance) -> Result<CommandLine> {
        let env = self.home.file.read()?;
        let params = self.params();
        let images = storage::directory(&params)?;
        let parts = plan.guest.as_ref().map(|guest| GuestParts {
            name: guest.name.clone(),
            kernel: guest.kernel.clone(),
            initrd: guest.initrd.clone(),
            data_disk: guest.data_disk.clone(),
            kernel_params: guest.kernel_params.clone(),
        });
        let line = command::build(&Request {
            name: self.name(),
            params: &params,
            facts: plan.binary.capabilities(),
            accel: &plan.accel,
            guest: parts.as_ref(),
            paths: &Paths {
                program: plan.binary.path().to_owned(),
                instance: instance.runtime.clone(),
                scratch: instance.scratch.clone(),
                images,
                overlays: env.overlays,
                own_images: env.own_images,
            },
            seed: &instance.id,
        })?;
        if let Some(guest) = &plan.guest {
            let models: Vec<&str> = line.models.iter().map(String::as_str).collect();
            guest.check_hardware(&models, &GuestStore::open()?)?;
        }
        Ok(line)
    }

    fn start(&self, plan: Plan, instance: &Instance) -> Result<()> {
        let line = self.line(&plan, instance)?;
        make_overlays(&line)?;
        let home = self.home.file.read()?;
        let holder = match home.holder {
            Some(holder) => holder,
            None => ProcessId::own()?,
        };
        Lease::held(self.name(), instance, Some(self.home.file.path()), holder).write()?;
        let guard = match home.guard {
            Some(guard) => guard,
            None => lease::program()?,
        };
        let mut command = vec![line.program.to_string()];
        command.extend(line.args.iter().cloned());
        let environment = line.environment.clone();
        let request = Start { instance: instance.clone(), command, environment };
        let process = lease::start(&guard, &request)?;
        tracing::info!("the VM `{}` is process {}", self.name(), process.pid);
        let record = Record {
            name: self.name().to_owned(),
            instance: instance.clone(),
            process,
            line,
            accel: plan.accel,
            params: self.params(),
            created: jiff::Timestamp::now(),
            console_offset: 0,
        };
        self.state().running = Some(Running::new(record.clone()));
        // Before anything can go wrong or be interrupted: what the env file knows is cleaned up.
        self.home.file.update(|content| {
            content.vms.insert(record.name.clone(), record.clone());
        })?;
        self.greet(&record)
    }

    /// Waits until QEMU has opened its monitors and answers on ours; fails at once with its own
    /// words if it ends.
    fn greet(&self, record: &Record) -> Result<()> {
        let deadline = Deadline::after(START);
        let refused = || match self.is_dead() {
            Ok(true) => Error::new(ErrorKind::VmCreate, self.death().message()),
            _ => Error::new(
                ErrorKind::VmCreate,
                format!("QEMU did not open its monitors within {START:?}"),
            ),
        };
        let Some(process) = record.process.open()? else { return Err(refused()) };
        // The last one that QEMU opens: when it is there, all are.
        for monitor in &record.line.monitors {
            let instance = &record.instance;
            if !instance.wait_for_file(&monitor.socket, Some(process.as_fd()), deadline)? {
                return Err(refused());
            }
        }
        match self.monitor() {
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(_) if self.ends_within(Duration::from_millis(100))? => Err(refused()),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    /// Leaves nothing of a machine that did not come up, but its logs.
    fn give_up(&self, instance: &Instance) {
        if self.record().is_some() {
            if let Err(error) = self.destroy(false) {
                tracing::warn!("{error}");
            }
        } else {
            // The guard, if it got that far, sees the directory vanish and ends QEMU.
            instance.remove();
        }
    }
}

fn make_overlays(line: &CommandLine) -> Result<()> {
    for image in &line.images {
        if !image.path.exists() && image.overlay.is_some() {
            return Err(Error::new(
                ErrorKind::Image,
                format!("the image `{}` is not there: {}", image.name, image.path),
            ));
        }
        let Some(arguments) = image.overlay_args() else { continue };
        let is_there = image.overlay.as_ref().is_some_and(|overlay| overlay.exists());
        if image.keeps_overlay && is_there {
            continue;
        }
        let output = Command::new("qemu-img").args(&arguments).output().map_err(|error| {
            Error::new(
                ErrorKind::Host,
                "`qemu-img` is needed to make disk overlays: apt install qemu-utils",
            )
            .caused_by(error)
        })?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(Error::new(
                ErrorKind::Image,
                format!("no overlay could be made of {}: {}", image.path, words.trim()),
            ));
        }
    }
    Ok(())
}
