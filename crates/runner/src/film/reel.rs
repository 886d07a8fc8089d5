//! The screens of one machine, in their order.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::env::Env;
use kvmtest::screen::{Frame, animate};
use kvmtest::vm::Vm;
use kvmtest::{Context, Error, Result};

use super::shot::Seen;
use super::{file_name, is_over};

/// Of more screens than this the oldest go: the end of a test tells most.
const MOST: usize = 500;
/// Frames of an animated picture, at most.
const FRAMES: usize = 100;
/// How long one of them is shown, and how long the last one.
const FRAME: Duration = Duration::from_millis(500);
const LAST_FRAME: Duration = Duration::from_secs(3);

/// All reels of a test, by machine.
pub(super) struct Reels {
    results: Utf8PathBuf,
    reels: BTreeMap<String, Reel>,
}

/// The screens of one machine.
pub(crate) struct Reel {
    /// Its name.
    pub(crate) vm: String,
    /// The first thing that went wrong, if anything did.
    pub(crate) problem: Option<String>,
    dir: Utf8PathBuf,
    shots: VecDeque<Utf8PathBuf>,
    seen: Seen,
    /// The incarnation that is looked at, with its monitor, and whether there is anything to see.
    looked_at: Option<(String, Vm, bool)>,
}

impl Reels {
    pub(super) fn new(results: Utf8PathBuf) -> Self {
        Self { results, reels: BTreeMap::new() }
    }

    /// One screen of each machine that has one.
    pub(super) fn take_all(&mut self, env: &Env) {
        // An env file that cannot be read is told of by whoever needs it.
        let Ok(vms) = env.get_all_vms() else { return };
        for vm in vms {
            let reel = self
                .reels
                .entry(vm.name().to_owned())
                .or_insert_with(|| Reel::new(vm.name(), &self.results));
            reel.take(vm);
        }
    }

    pub(super) fn end(self) -> Vec<Reel> {
        self.reels.into_values().collect()
    }
}

impl Reel {
    fn new(vm: &str, results: &Utf8Path) -> Self {
        Self {
            vm: vm.to_owned(),
            problem: None,
            dir: results.join(format!("screendumps_{}", file_name(vm))),
            shots: VecDeque::new(),
            seen: Seen::default(),
            looked_at: None,
        }
    }

    /// Makes one animated picture of them in `results`, if there is more than one.
    pub(crate) fn animate(&self, results: &Utf8Path) -> Result<()> {
        if self.shots.len() < 2 {
            return Ok(());
        }
        let chosen: Vec<&Utf8PathBuf> =
            spread(self.shots.len(), FRAMES).filter_map(|index| self.shots.get(index)).collect();
        let last = chosen.len() - 1;
        let frames: Vec<Frame> = chosen
            .into_iter()
            .enumerate()
            .map(|(index, path)| Frame {
                path: path.clone(),
                delay: if index == last { LAST_FRAME } else { FRAME },
            })
            .collect();
        animate(&frames, &results.join(format!("screens_{}.png", file_name(&self.vm)))).map(drop)
    }

    /// Removes them.
    pub(crate) fn remove(&self) -> Result<()> {
        if self.dir.exists() {
            std::fs::remove_dir_all(&self.dir)?;
        }
        Ok(())
    }

    fn take(&mut self, vm: Vm) {
        if vm.is_dead().unwrap_or(true) {
            self.looked_at = None;
            return;
        }
        let id = vm.record().map(|record| record.instance.id).unwrap_or_default();
        if self.looked_at.as_ref().is_none_or(|(known, _, _)| *known != id) {
            self.looked_at = None;
            match vm.has_screen() {
                Ok(has_screen) => self.looked_at = Some((id, vm, has_screen)),
                Err(error) => return self.failed(&vm, &error),
            }
        }
        let Some((id, vm, has_screen)) = self.looked_at.take() else { return };
        if has_screen && let Err(error) = self.shoot(&vm) {
            self.failed(&vm, &error);
        }
        self.looked_at = Some((id, vm, has_screen));
    }

    fn shoot(&mut self, vm: &Vm) -> Result<()> {
        std::fs::create_dir_all(&self.dir)?;
        let new = self.dir.join(".next.png");
        vm.screendump(&new).inspect_err(|_| {
            // It may not have come that far.
            let _ = std::fs::remove_file(&new);
        })?;
        let now = jiff::Zoned::now().strftime("%Y-%m-%d_%H-%M-%S%.3f");
        let path = self.dir.join(format!("{}_{now}.png", file_name(&self.vm)));
        if self.seen.keep(&new, &path).with_context(|| format!("keeping the screen {path}"))? {
            self.shots.push_back(path);
        }
        if self.shots.len() > MOST
            && let Some(oldest) = self.shots.pop_front()
        {
            std::fs::remove_file(oldest)?;
        }
        Ok(())
    }

    /// The first problem is told; a machine that ends is none.
    fn failed(&mut self, vm: &Vm, error: &Error) {
        if self.problem.is_none() && !is_over(vm) {
            self.problem = Some(error.to_string());
        }
    }
}

/// At most `most` of the numbers below `count`, evenly spread, the last one among them.
fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let chosen = count.min(most);
    (1..=chosen).map(move |number| number * count / chosen - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_spread_and_end_with_the_last() {
        let check = |count, most, expected: &[usize]| {
            assert_eq!(spread(count, most).collect::<Vec<_>>(), expected);
        };
        check(0, 3, &[]);
        check(2, 3, &[0, 1]);
        check(3, 3, &[0, 1, 2]);
        check(7, 3, &[1, 3, 6]);
        check(500, 2, &[249, 499]);
    }
}
