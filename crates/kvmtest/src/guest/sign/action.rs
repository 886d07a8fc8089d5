//! What is done about a sign of trouble.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::params::Params;

/// What is done when a sign of trouble is seen while a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    Ignore,
    /// It is told, and makes a PASS a WARN.
    Warn,
    /// It ends what waits for the guest, stops the subtest, and makes a PASS a FAIL.
    Fail,
}

/// What `params` want to be done about the sign called `name`: the key `watch_action_NAME`, else
/// `watch_action`, else `default`.
pub fn action(params: &Params, name: &str, default: Action) -> Result<Action> {
    let own = format!("watch_action_{name}");
    let key = if params.find_nonempty(&own).is_some() { &own } else { "watch_action" };
    if params.find_nonempty(key).is_none() {
        return Ok(default);
    }
    Ok(match params.get_choice(key, &["fail", "warn", "ignore"])? {
        "fail" => Action::Fail,
        "warn" => Action::Warn,
        _ => Action::Ignore,
    })
}
