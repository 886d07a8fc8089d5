//! A test that cannot stand it says so, and why.

use crate::error::{Error, ErrorKind, Result};
use crate::params::Params;

/// Why the test, or the VM whose own `params` are given, is not to be perturbed: `perturb_reason`
/// where `perturb = no`. An error where that has no reason.
pub fn refusal(params: &Params) -> Result<Option<&str>> {
    if params.get_bool_or("perturb", true)? {
        return Ok(None);
    }
    let reason = params.find("perturb_reason").map(str::trim).filter(|reason| !reason.is_empty());
    reason.map(Some).ok_or_else(|| {
        let place = params.origin("perturb").map(|place| format!(" ({place})")).unwrap_or_default();
        let message = format!(
            "`perturb = no` without a reason{place}: `perturb_reason` says why the test cannot \
             stand it"
        );
        Error::new(ErrorKind::Params, message)
    })
}

/// Refuses what cannot be understood of any key here, of the test and of each of its VMs.
pub fn check(params: &Params) -> Result<()> {
    if !params.iter().any(|(key, _)| key.starts_with("perturb")) {
        return Ok(());
    }
    let check = |params: &Params| {
        refusal(params)?;
        super::wanted(params)?;
        super::rate(params).map(drop)
    };
    check(params)?;
    params.objects("vms").into_iter().try_for_each(|vm| check(&params.object_params(vm)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refuses_says_why() {
        let check = |pairs: &[(&str, &str)], expected: &str| {
            let params: Params = pairs.iter().copied().collect();
            let got = match refusal(&params) {
                Ok(reason) => format!("{reason:?}"),
                Err(error) => error.to_string(),
            };
            assert!(got.contains(expected), "{pairs:?}: {got}");
        };
        check(&[], "None");
        check(&[("perturb", "yes")], "None");
        check(&[("perturb_reason", "x")], "None");
        check(&[("perturb", "no"), ("perturb_reason", " it counts ")], "Some(\"it counts\")");
        check(&[("perturb", "no")], "`perturb_reason` says why");
        check(&[("perturb", "no"), ("perturb_reason", " ")], "`perturb = no` without a reason");
        check(&[("perturb", "0")], "`perturb` must be `yes` or `no`");
    }

    #[test]
    fn all_machines_are_checked() {
        let check = |key: &str, value: &str, part: Option<&str>| {
            let params: Params = [("vms", "a b"), (key, value)].into_iter().collect();
            let error = super::check(&params).err().map(|error| error.to_string());
            match part {
                None => assert_eq!(error, None),
                Some(part) => {
                    assert!(error.as_ref().is_some_and(|it| it.contains(part)), "{error:?}");
                }
            }
        };
        check("mem", "1", None);
        check("perturb_b", "yes", None);
        check("perturb_b", "no", Some("without a reason"));
        check("perturb_rate_a", "7", Some("between 0 and 1"));
        check("perturb_with_b", "migrate", Some("has no seed"));
        check("perturb_rate_c", "7", None);
    }
}
