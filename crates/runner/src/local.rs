//! Preparing and cleaning up on this host.

use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::env::{Env, Face};
use kvmtest::host::ProcessId;
use kvmtest::test::Note;
use kvmtest::{Error, ErrorKind, Params, Result, perturb};

use crate::around::Around;
use crate::child::trace;
use crate::hugepages::Hugepages;
use crate::plan::PlannedTest;
use crate::preprocess::Refusals;
use crate::stage::{Places, Stage};
use crate::{abort, hook, postprocess, preprocess, watch};

/// Machines on this host, in one env file that this run has for itself.
pub struct LocalStage {
    env: Utf8PathBuf,
    holder: ProcessId,
    /// The test that is prepared and not cleaned up after.
    around: Option<Around>,
    /// What there is to say of one that is.
    notes: Vec<Note>,
    refusals: Arc<Mutex<Refusals>>,
}

impl LocalStage {
    /// Works on the env file `env`, whose machines this process then holds. They write to
    /// overlays in `overlays`, if that is given, and to the images themselves else.
    pub fn new(env: impl Into<Utf8PathBuf>, overlays: Option<&Utf8Path>) -> Result<Self> {
        let holder = ProcessId::own()?;
        let stage = Self {
            env: env.into(),
            holder,
            around: None,
            notes: Vec::new(),
            refusals: Arc::default(),
        };
        let env = Env::open(&stage.env)?;
        env.set_holder(Some(stage.holder.clone()))?;
        env.set_overlays(overlays)?;
        // Whoever starts a machine starts a guard of this very program, whatever it is itself.
        if let Some(program) =
            std::env::current_exe().ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
        {
            env.set_guard(&program)?;
        }
        // Of runs that were killed: processes, and huge pages. Whoever cannot give those back is
        // told when it matters.
        hook::collect();
        if let Err(error) = Hugepages::default().collect() {
            tracing::warn!("{error}");
        }
        Ok(stage)
    }

    /// Env and all for a test. The connections to monitors are the same before and after it: a
    /// second one would not be served.
    fn around(&self, test: &PlannedTest, places: &Places) -> Result<Around> {
        let env = Env::open(&self.env)?.with_face(Face::Harness);
        let env = env.with_log_dir(&places.results).with_params(&test.params);
        let mut around = Around::new(test, places, env, &self.holder);
        around.refusals = Arc::clone(&self.refusals);
        Ok(around)
    }
}

impl Stage for LocalStage {
    fn prepare(&mut self, test: &PlannedTest, places: &Places) -> Result<()> {
        let around = self.around(test, places)?;
        let around = self.around.insert(around);
        trace::within(&places.results, || {
            skip_unperturbed(&test.params)?;
            abort::check(&test.params)?;
            preprocess::check(&test.params)?;
            postprocess::check(&test.params)?;
            watch::check(&test.params)?;
            preprocess::prepare(around)
        })
    }

    fn clean(&mut self, test: &PlannedTest, places: &Places, failed: bool) -> Result<Vec<String>> {
        let mut around = match self.around.take() {
            Some(around) => around,
            None => self.around(test, places)?,
        };
        let clean = || postprocess::clean(&mut around, failed);
        let cleaned = trace::within(&places.results, clean);
        self.notes = around.notes();
        cleaned.map(|()| Vec::new())
    }

    fn notes(&mut self) -> Vec<Note> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.around.iter_mut().flat_map(Around::notes));
        notes
    }

    fn abandon(&mut self, _: &PlannedTest, _: &Places) -> Result<()> {
        let env = Env::open(&self.env)?.with_face(Face::Harness);
        env.get_all_vms()?.iter().try_for_each(|vm| vm.destroy(false))
    }

    fn clear(&mut self) -> Result<Vec<String>> {
        let env = Env::open(&self.env)?.with_face(Face::Harness);
        env.forget_dead()?;
        let vms = env.get_all_vms()?;
        vms.iter().map(|vm| vm.destroy(false).map(|()| vm.name().to_owned())).collect()
    }

    fn finish(&mut self) -> Result<Vec<String>> {
        let env = Env::open(&self.env)?.with_face(Face::Harness);
        let warnings = postprocess::hand_over(&env)?;
        env.set_holder(None)?;
        Ok(warnings)
    }
}

/// Skips a test that is to be perturbed and cannot stand it.
fn skip_unperturbed(params: &Params) -> Result<()> {
    perturb::check(params)?;
    let Some(what) = params.find_nonempty("perturb_with") else { return Ok(()) };
    match perturb::refusal(params)? {
        None => Ok(()),
        Some(reason) => {
            let message = format!("not under `--perturb {what}`: {reason} (`perturb = no`)");
            Err(Error::new(ErrorKind::TestSkip, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use kvmtest::params::{Origin, Value};

    use super::*;

    #[test]
    fn who_cannot_stand_it_is_skipped_only_where_it_would_happen() {
        let check = |pairs: &[(&str, &str)], expected: Option<(ErrorKind, &str)>| {
            let params: Params = pairs.iter().copied().collect();
            match (skip_unperturbed(&params), expected) {
                (Ok(()), None) => {}
                (Err(error), Some((kind, part))) => {
                    assert_eq!(error.kind(), kind, "{error}");
                    assert!(error.to_string().contains(part), "{error}");
                }
                (got, _) => panic!("{pairs:?}: {got:?}"),
            }
        };
        let refuses = [("perturb", "no"), ("perturb_reason", "it counts")];
        check(&[], None);
        check(&refuses, None);
        check(&[("perturb_with", "fork@1")], None);
        let skip = (ErrorKind::TestSkip, "not under `--perturb fork@1`: it counts");
        check(&[refuses[0], refuses[1], ("perturb_with", "fork@1")], Some(skip));
        let rude = (ErrorKind::Params, "`perturb_reason` says why");
        check(&[refuses[0], ("perturb_with", "fork@1")], Some(rude));
        check(&[refuses[0]], Some(rude));
    }

    #[test]
    fn a_wrong_value_is_found_before_anything_is_done() {
        let keep = tempfile::tempdir().expect("a directory");
        let base = Utf8Path::from_path(keep.path()).expect("UTF-8");
        let places = Places { results: base.into(), scratch: base.into(), env: base.join("env") };
        for (key, value) in [
            ("vm_lease", "forever"),
            ("vm_lease_vm1", "-1"),
            ("watch_action_panic", "die"),
            ("watch_pattern_panic", "("),
            ("watch", "perhaps"),
            ("state_clock", "late"),
            ("state_network_vm1", "on"),
            ("migration_capabilities", "-"),
            ("migration_downtime", "short"),
            ("migration_protocol", "rdma"),
        ] {
            let mut test = crate::plan::test::example("boot", "");
            let origin = Some(Origin { file: "mine.cfg".into(), line: 7 });
            test.params.set("vms", "vm1");
            test.params.set("pre_command", format!("touch {base}/done"));
            test.params.insert(key, Value { text: value.into(), origin });
            let mut stage = LocalStage::new(base.join("env"), None).expect("a stage");
            let error = stage.prepare(&test, &places).expect_err(key).to_string();
            assert!(
                error.contains("mine.cfg:7") && error.contains(&key.replace("_vm1", "")),
                "{error}"
            );
            assert!(!base.join("done").exists(), "{key}: nothing is done before");
        }
    }
}
