//! `-m`, and the backend of the guest's memory where a plain one will not do.

use serde_json::json;

use super::argument::{Argument, Options};
use super::machine::Family;
use super::plan::Plan;
use super::read;
use crate::error::Result;
use crate::params::Params;

const MIB: u64 = 1 << 20;
const DEFAULT: u64 = 512 * MIB;
const HUGEPAGES: &str = "/dev/hugepages";

/// The arguments for the memory.
pub(super) fn arguments(plan: &Plan) -> Result<Vec<Argument>> {
    let params = plan.params;
    let size = size(params, "mem")?.unwrap_or(DEFAULT);
    let slots = read::number(params, "mem_slots", 1, 256)?;
    let most = self::size(params, "mem_max")?;
    if most.is_some_and(|most| most < size) {
        return Err(params.wrong("mem_max", &format!("at least `mem`, {}", megabytes(size))));
    }
    if most.is_some() && slots.is_none() {
        return Err(params.wrong("mem_max", "accompanied by `mem_slots`"));
    }
    let options = Options::default()
        .with("size", &megabytes(size))
        .maybe("slots", slots.map(|slots| slots.to_string()).as_deref())
        .maybe("maxmem", most.map(megabytes).as_deref());
    let mut arguments = vec![Argument::Option("m", options.finish())];
    arguments.extend(backend(plan, size)?);
    Ok(arguments)
}

/// Whether the memory is something else than anonymous memory of QEMU's own.
pub(super) fn has_backend(plan: &Plan) -> Result<bool> {
    Ok(plan.request.paths.memory.is_some() || !is_plain(plan.params)?)
}

/// Whether `params` leave it open what the memory is.
pub(crate) fn is_plain(params: &Params) -> Result<bool> {
    Ok(params.find_nonempty("mem_path").is_none()
        && !read::flag(params, "hugepage", false)?
        && !read::flag(params, "mem_share", false)?
        && !read::flag(params, "mem_prealloc", false)?)
}

/// The identifier of the memory backend.
///
/// It is what the machine calls plain memory, so that a state saved with one can be loaded with
/// the other.
pub(super) fn backend_id(family: Family) -> &'static str {
    match family {
        Family::Q35 | Family::Pc => "pc.ram",
        Family::Microvm => "microvm.ram",
        Family::Other => "ram",
    }
}

fn backend(plan: &Plan, size: u64) -> Result<Option<Argument>> {
    if !has_backend(plan)? {
        return Ok(None);
    }
    let (params, id) = (plan.params, backend_id(plan.machine.family));
    if let Some(memory) = &plan.request.paths.memory {
        let object = json!({
            "qom-type": "memory-backend-file",
            "id": id,
            "mem-path": memory.path,
            "size": size,
            "share": memory.share,
        });
        return Ok(Some(Argument::json("object", &object)));
    }
    let huge = read::flag(params, "hugepage", false)?;
    let share = read::flag(params, "mem_share", false)?;
    // Without all pages at hand at the start, a guest on huge pages dies by SIGBUS in the middle.
    let prealloc = read::flag(params, "mem_prealloc", huge)?;
    let path = params.find_nonempty("mem_path").or(huge.then_some(HUGEPAGES));
    let mut object = match path {
        Some(path) => json!({"qom-type": "memory-backend-file", "mem-path": path}),
        None if share => json!({"qom-type": "memory-backend-memfd"}),
        None => json!({"qom-type": "memory-backend-ram"}),
    };
    object["id"] = id.into();
    object["size"] = size.into();
    object["share"] = share.into();
    object["prealloc"] = prealloc.into();
    Ok(Some(Argument::json("object", &object)))
}

/// A size in bytes that is whole MiB.
fn size(params: &Params, key: &str) -> Result<Option<u64>> {
    if params.find_nonempty(key).is_none() {
        return Ok(None);
    }
    match params.get_size_mib(key)? {
        size if size >= MIB && size.is_multiple_of(MIB) => Ok(Some(size)),
        _ => Err(params.wrong(key, "a whole number of MiB, 1 or more (`512`, `4G`)")),
    }
}

fn megabytes(size: u64) -> String {
    format!("{}M", size / MIB)
}
