//! The public keys that the guest lets in.

use super::argument::{Argument, Options};
use super::plan::Plan;

/// Where the guests that `kvmtest guest build` makes look for the keys.
const ITEM: &str = "opt/kvmtest/authorized_keys";

/// The arguments that hand the guest the file that `authorized_keys` names.
pub(super) fn arguments(plan: &Plan) -> Vec<Argument> {
    let Some(file) = plan.params.find_nonempty("authorized_keys") else { return Vec::new() };
    let file = plan.request.paths.resolve(file);
    let item = Options::default().with("name", ITEM).with("file", file.as_str());
    vec![Argument::Option("fw_cfg", item.finish())]
}
