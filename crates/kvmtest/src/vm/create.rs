//! Starts a machine.

use super::command::{self, CommandLine, GuestParts, MemoryFile, Paths, Request, has_plain_memory};
use super::incarnation::Incarnation;
use super::{Instance, Vm};
use crate::doing;
use crate::error::{Context, Result};
use crate::guest::{Guest, GuestStore};
use crate::host::accel;
use crate::qemu::Binary;
use crate::storage;

/// What a machine is to be made of: all that is decided before anything is started.
pub(super) struct Plan {
    pub(super) binary: Binary,
    pub(super) accel: String,
    pub(super) guest: Option<Guest>,
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
        let mut incarnation = Incarnation::booting(self.name()).with_context(doing)?;
        if self.is_forkable()? {
            let path = incarnation.instance.memory();
            incarnation.memory = Some(MemoryFile { path, share: true });
        }
        self.begin(&plan, &incarnation)
            .inspect_err(|_| self.give_up(&incarnation.instance))
            .with_context(doing)
    }

    /// Ends the machine that the env file has under this name, from another definition of it: its
    /// entry is about to be written over, and nobody would know of it any more.
    pub(super) fn destroy_namesake(&self) -> Result<()> {
        let known = self.home.file.read()?.vms.remove(self.name());
        known.map_or(Ok(()), |record| Self::from_record(&self.home, record).destroy(false))
    }

    /// Whether its memory is to lie in a file from the beginning, so that a fork need not move it
    /// there first: `vm_forkable`.
    pub(super) fn is_forkable(&self) -> Result<bool> {
        let params = self.params();
        Ok(params.get_bool_or("vm_forkable", false)? && has_plain_memory(&params)?)
    }

    /// Whether the machine that runs is not the one that the parameters describe now.
    pub fn needs_restart(&self) -> Result<bool> {
        let Some(record) = self.record() else { return Ok(true) };
        let plan = self.plan()?;
        let line = self.plain_line(&plan, &Incarnation::of(&record))?;
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
        Ok(self.line(&plan, &Incarnation::in_place(nowhere, "preview"))?.script())
    }

    pub(super) fn plan(&self) -> Result<Plan> {
        let params = self.params();
        let binary = Binary::find(params.get_or("qemu_binary", ""))?;
        let accel = accel::choose(params.get_or("accel", "auto"), &binary)?.accel.to_string();
        let guest = match params.find_nonempty("guest") {
            Some(name) => Some(GuestStore::open()?.find(name)?),
            None => None,
        };
        Ok(Plan { binary, accel, guest })
    }

    /// The command line of a machine that boots, like `incarnation` in all else.
    pub(super) fn plain_line(&self, plan: &Plan, like: &Incarnation) -> Result<CommandLine> {
        self.line(plan, &Incarnation::in_place(like.instance.clone(), &like.seed))
    }

    /// The command line of `incarnation`.
    pub(super) fn line(&self, plan: &Plan, incarnation: &Incarnation) -> Result<CommandLine> {
        let env = self.home.file.read()?;
        let instance = &incarnation.instance;
        let mut params = self.params();
        if incarnation.waits {
            params.set("incoming", "defer");
            params.remove("start_paused");
        }
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
                memory: incarnation.memory.clone(),
                layers: incarnation.layers.clone(),
            },
            seed: &incarnation.seed,
        })?;
        if let Some(guest) = &plan.guest {
            let models: Vec<&str> = line.models.iter().map(String::as_str).collect();
            guest.check_hardware(&models, &GuestStore::open()?)?;
        }
        Ok(line)
    }

    /// Starts QEMU, and makes it known.
    pub(super) fn begin(&self, plan: &Plan, incarnation: &Incarnation) -> Result<()> {
        let record = self.launch(plan, incarnation, self.holder()?)?;
        let half_made = incarnation.half_made()?;
        // Before anything can go wrong or be interrupted: what the env file knows is cleaned up.
        self.home.file.update(|content| {
            let id = record.instance.id.clone();
            content.transitions.extend(half_made.map(|transition| (id, transition)));
            content.vms.insert(record.name.clone(), record);
        })?;
        self.greet()
    }

    /// Leaves nothing of a machine that did not come up, but its logs.
    pub(super) fn give_up(&self, instance: &Instance) {
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
