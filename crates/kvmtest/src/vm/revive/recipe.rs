//! All that decides what a state holds, as text.

use crate::error::Result;
use crate::state::{self, Plan as StatePlan, Recipe, Step, Subtests};
use crate::vm::Vm;
use crate::vm::command::CommandLine;
use crate::vm::create::Plan;
use crate::vm::incarnation::Incarnation;

/// What every machine is called here: a name is nothing that the guest sees.
const NAME: &str = "vm";

/// Options whose value is a file that the guest's memory is filled from.
const FILES: &[&str] = &["-kernel", "-initrd", "-dtb", "-bios", "-pflash"];

impl Vm {
    /// The recipes of `plans`, each with what leads to it.
    pub(super) fn recipes(
        &self,
        plan: &Plan,
        plans: &[StatePlan],
        subtests: &dyn Subtests,
    ) -> Result<Vec<Recipe>> {
        let mut lines = self.machine(plan)?;
        let mut recipes = Vec::new();
        for state in plans {
            for step in &state.steps {
                match step {
                    Step::Command(command) => lines.push(("command".into(), command.clone())),
                    Step::Subtest(name) => {
                        lines.push(("subtest".into(), name.clone()));
                        lines.push(("its program".into(), subtests.identity(name)?));
                        lines.extend(self.heeded(&state.name, subtests));
                    }
                }
            }
            // Two names of one state are two states: somebody may wish to drop one of them.
            lines.push(("state".into(), state.name.clone()));
            let empty = Recipe::new(&state.name)?.about(self.in_words());
            recipes.push(lines.iter().fold(empty, |recipe, (key, value)| recipe.with(key, value)));
        }
        Ok(recipes)
    }

    /// The params that the subtest of the state `name` may heed: those that `state_params` lists,
    /// where it says which they are.
    fn heeded(&self, name: &str, subtests: &dyn Subtests) -> Vec<(String, String)> {
        let params = self.params();
        let heeded = match params.object_params(name).find("state_params") {
            Some(keys) => keys
                .split_whitespace()
                .filter_map(|key| Some((key.to_owned(), params.find(key)?.to_owned())))
                .collect(),
            None => subtests.params(),
        };
        heeded.into_iter().map(|(key, value)| (format!("param {key}"), value)).collect()
    }

    /// The machine: binary, command line, and what is in the files that these name.
    fn machine(&self, plan: &Plan) -> Result<Vec<(String, String)>> {
        let params = self.params();
        let mut lines = vec![
            ("qemu".to_owned(), plan.binary.identity()?),
            ("accel".to_owned(), plan.accel.clone()),
        ];
        if plan.accel == "kvm" {
            lines.push(("host's processor".to_owned(), processor()));
        }
        let anonymous = Self::define(&self.home, NAME, params.clone());
        let command = anonymous.plain_line(plan, &Incarnation::nowhere())?;
        lines.push(("command line".to_owned(), command.fingerprint()));
        lines.extend(contents(&command)?);
        // Who is logged in is part of what is saved.
        for key in ["os_type", "username", "shell_client", "guest"] {
            lines.push((key.to_owned(), params.get_or(key, "").to_owned()));
        }
        Ok(lines)
    }

    /// The machine in a few words, for people.
    fn in_words(&self) -> String {
        let params = self.params();
        let own = || {
            // Somebody's own system: what it starts from.
            let image = params.objects("images").into_iter().next();
            let image = image.map(|name| params.object_params(name));
            let path = image.as_ref().and_then(|image| image.find_nonempty("image_name"));
            let path = params.find_nonempty("kernel").or(path).unwrap_or_default();
            path.rsplit('/').next().unwrap_or_default().to_owned()
        };
        let guest = params.find_nonempty("guest").map_or_else(own, str::to_owned);
        let mem = params.get_or("mem", "");
        let is_number = !mem.is_empty() && mem.chars().all(|c| c.is_ascii_digit());
        let mem = if is_number { format!("{mem} MiB") } else { mem.to_owned() };
        let words = [guest, params.get_or("machine_type", "").to_owned(), mem];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

/// What is in the files of the machine: images with all that lies below them, the kernel.
fn contents(command: &CommandLine) -> Result<Vec<(String, String)>> {
    let mut contents = Vec::new();
    for pair in command.args.windows(2) {
        if FILES.contains(&pair[0].as_str()) {
            contents.push((pair[0].clone(), state::digest_of(pair[1].as_str().into())?));
        }
    }
    for image in &command.images {
        for file in crate::storage::chain(&image.path, &image.format)? {
            contents.push((format!("image {}", image.id), state::digest_of(&file)?));
        }
    }
    Ok(contents)
}

/// What the guest sees of the host's processor.
fn processor() -> String {
    const WANTED: &[&str] = &["vendor_id", "cpu family", "model", "stepping", "microcode", "flags"];
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let first = text.split("\n\n").next().unwrap_or_default();
    let wanted = first
        .lines()
        .filter(|line| line.split_once(':').is_some_and(|(key, _)| WANTED.contains(&key.trim())));
    wanted.collect::<Vec<_>>().join("\n")
}
