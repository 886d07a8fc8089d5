//! `setup_hugepages`: what was reserved is given back, also after a failure.

use kvmtest::{Error, Result};

use crate::around::Around;

pub(super) fn give_back(around: &mut Around) -> Result<()> {
    let mut first: Option<Error> = None;
    for reserved in std::mem::take(&mut around.reserved) {
        if let Err(error) = around.hugepages.give_back(&reserved) {
            first.get_or_insert(error);
        }
    }
    first.map_or(Ok(()), Err)
}
