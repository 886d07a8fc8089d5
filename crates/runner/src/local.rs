//! Preparing and cleaning up on this host.

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::env::{Env, Face};
use kvmtest::host::ProcessId;
use kvmtest::{Params, Result};

use crate::plan::PlannedTest;
use crate::stage::{Places, Stage};
use crate::{postprocess, preprocess};

/// Machines on this host, in one env file that this run has for itself.
pub struct LocalStage {
    env: Utf8PathBuf,
    holder: ProcessId,
}

impl LocalStage {
    /// Works on the env file `env`, whose machines this process then holds. They write to
    /// overlays in `overlays`, if that is given, and to the images themselves else.
    pub fn new(env: impl Into<Utf8PathBuf>, overlays: Option<&Utf8Path>) -> Result<Self> {
        let stage = Self { env: env.into(), holder: ProcessId::own()? };
        let env = Env::open(&stage.env)?;
        env.set_holder(Some(stage.holder.clone()))?;
        env.set_overlays(overlays)?;
        // Whoever starts a machine starts a guard of this very program, whatever it is itself.
        if let Some(program) =
            std::env::current_exe().ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
        {
            env.set_guard(&program)?;
        }
        Ok(stage)
    }

    fn env(&self, params: &Params, places: &Places) -> Result<Env> {
        let env = Env::open(&self.env)?.with_face(Face::Harness);
        Ok(env.with_log_dir(&places.results).with_params(params))
    }
}

impl Stage for LocalStage {
    fn prepare(&mut self, test: &PlannedTest, places: &Places) -> Result<()> {
        let env = self.env(&test.params, places)?;
        preprocess::prepare(&test.params, &env, &self.holder)
    }

    fn clean(&mut self, test: &PlannedTest, places: &Places, failed: bool) -> Result<Vec<String>> {
        let params =
            if failed { test.params.object_params("on_error") } else { test.params.clone() };
        let env = self.env(&params, places)?;
        postprocess::clean(&params, &env)
    }

    fn abandon(&mut self, _: &PlannedTest, _: &Places) -> Result<()> {
        let env = Env::open(&self.env)?.with_face(Face::Harness);
        env.get_all_vms()?.iter().try_for_each(|vm| vm.destroy(false))
    }

    fn finish(&mut self) -> Result<Vec<String>> {
        let env = Env::open(&self.env)?.with_face(Face::Harness);
        let warnings = postprocess::hand_over(&env)?;
        env.set_holder(None)?;
        Ok(warnings)
    }
}
