//! `-cpu` and `-smp`.

use super::argument::{Argument, Options};
use super::plan::Plan;
use super::read;
use crate::error::Result;
use crate::params::Params;

/// The arguments for the processors.
pub(super) fn arguments(plan: &Plan) -> Result<Vec<Argument>> {
    Ok(vec![Argument::Option("cpu", model(plan)), Argument::Option("smp", topology(plan.params)?)])
}

/// The model with its features is in QEMU's own syntax: `EPYC,-svm,+x2apic`.
fn model(plan: &Plan) -> String {
    let default = if plan.request.accel == "kvm" { "host" } else { "max" };
    let mut model = plan.params.find_nonempty("cpu_model").unwrap_or(default).trim().to_owned();
    if let Some(flags) = plan.params.find_nonempty("cpu_model_flags") {
        model.push(',');
        model.push_str(flags.trim().trim_start_matches(','));
    }
    model
}

fn topology(params: &Params) -> Result<String> {
    const MOST: u64 = 4096;
    let cpus = read::number(params, "smp", 1, MOST)?.unwrap_or(1);
    let most = read::number(params, "vcpu_maxcpus", 1, MOST)?;
    if most.is_some_and(|most| most < cpus) {
        return Err(params.wrong("vcpu_maxcpus", &format!("at least `smp`, {cpus}")));
    }
    let all = most.unwrap_or(cpus);
    let mut options = Options::default()
        .with("cpus", &cpus.to_string())
        .maybe("maxcpus", most.map(|most| most.to_string()).as_deref());
    let mut product = 1;
    let mut last = None;
    for (key, name) in
        [("vcpu_sockets", "sockets"), ("vcpu_cores", "cores"), ("vcpu_threads", "threads")]
    {
        let Some(count) = read::number(params, key, 1, MOST)? else { continue };
        product *= count;
        last = Some((key, product));
        options = options.with(name, &count.to_string());
    }
    let complete = ["vcpu_sockets", "vcpu_cores", "vcpu_threads"]
        .iter()
        .all(|key| params.find_nonempty(key).is_some());
    match last {
        Some((key, product)) if !all.is_multiple_of(product) || complete && product != all => {
            let what = format!(
                "such that sockets, cores and threads make {all} CPUs and not {product} of them"
            );
            Err(params.wrong(key, &what))
        }
        _ => Ok(options.finish()),
    }
}
