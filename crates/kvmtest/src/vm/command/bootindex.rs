//! Which device boots first.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Object, Plan};
use super::read;
use crate::error::{Context as _, Result};

/// The boot indices of the objects that have one, by list and name.
pub(super) type Bootindices = BTreeMap<(&'static str, String), u64>;

/// The largest that QEMU takes.
const MOST: u64 = i32::MAX as u64;

/// The boot indices that `bootindex` gives, and for `image_boot = yes` the next that are free.
pub(super) fn indices(plan: &Plan) -> Result<Bootindices> {
    let mut result = Bootindices::new();
    let mut taken = BTreeSet::new();
    let mut waiting = Vec::new();
    for list in ["images", "cdroms", "nics"] {
        for object in plan.objects(list, super::disk::default_objects(plan, list))? {
            let place = || format!("`{}` of `{list}`", object.name);
            match read::number(&object.params, "bootindex", 0, MOST).with_context(place)? {
                Some(index) if taken.insert(index) => {
                    result.insert((list, object.name), index);
                }
                Some(_) => {
                    let what = "another number than that of another object";
                    return Err(object.params.wrong("bootindex", what)).with_context(place);
                }
                // `image_boot` for all images must not make the CD-ROMs boot as well.
                None if list == "images" && boots(&object).with_context(place)? => {
                    waiting.push((list, object.name));
                }
                None => {}
            }
        }
    }
    // 0 is left free: it is the index of a kernel that QEMU loads itself.
    let free = (1..).filter(|index| !taken.contains(index));
    result.extend(waiting.into_iter().zip(free));
    Ok(result)
}

fn boots(object: &Object) -> Result<bool> {
    read::flag(&object.params, "image_boot", false)
}
