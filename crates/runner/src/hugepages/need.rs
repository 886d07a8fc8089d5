//! How many huge pages the machines of a test need.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Context, Error, ErrorKind, Params, Result};

/// How much memory a machine has where `mem` does not say.
const MEM: u64 = 512 << 20;
/// Where the memory of a machine with `hugepage = yes` lies.
const MOUNT: &str = "/dev/hugepages";

/// Pages of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    /// The size of a page.
    pub(crate) size_kib: u64,
    /// How many.
    pub(crate) pages: u64,
}

/// The memory of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) bytes: u64,
    /// Where its pages are from, if it says so; else they are of the host's usual size.
    pub(crate) mount: Option<Utf8PathBuf>,
}

/// The machines of a test that need huge pages: those with `hugepage = yes`, or all of them where
/// none says so. `max_vms` is for those that the subtest will make besides: each is taken for one
/// like the largest.
pub(crate) fn machines(params: &Params) -> Result<Vec<Machine>> {
    let names = params.objects("vms");
    let all: Vec<Params> = names.iter().map(|name| params.object_params(name)).collect();
    let mut wanting = Vec::new();
    for own in &all {
        if is_huge(own)? {
            wanting.push(own);
        }
    }
    if wanting.is_empty() {
        wanting = all.iter().collect();
    }
    let mut machines = wanting.into_iter().map(machine).collect::<Result<Vec<_>>>()?;
    let most = usize::try_from(params.get_u64_or("max_vms", 0)?).unwrap_or(usize::MAX);
    let largest = machines.iter().max_by_key(|machine| machine.bytes).cloned();
    if let Some(largest) = largest {
        let more = most.saturating_sub(names.len());
        if more > 1000 {
            return Err(params.wrong("max_vms", "a thousand or less"));
        }
        machines.extend(std::iter::repeat_n(largest, more));
    }
    Ok(machines)
}

/// The size, in KiB, of the pages of which files below `mount` are made; an error if those are no
/// huge pages.
pub(super) fn size_of_mount(mount: &Utf8Path) -> Result<u64> {
    const HUGETLBFS: i64 = 0x9584_58f6;
    let mend = || format!("mkdir -p {mount} && mount -t hugetlbfs none {mount}");
    let facts = match rustix::fs::statfs(mount.as_std_path()) {
        Ok(facts) => facts,
        Err(error) => {
            let message = format!("{mount} is not there: `{}` makes it", mend());
            return Err(Error::new(ErrorKind::Host, message).caused_by(error));
        }
    };
    if facts.f_type != HUGETLBFS {
        let message = format!("{mount} has no huge pages: `{}` gives it some", mend());
        return Err(Error::new(ErrorKind::Host, message));
    }
    u64::try_from(facts.f_bsize)
        .map(|bytes| bytes >> 10)
        .map_err(|_| Error::new(ErrorKind::Host, format!("{mount} has pages of an odd size")))
}

/// The usual size of a huge page, in KiB, as `/proc/meminfo` tells it.
pub(super) fn default_size(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("Hugepagesize:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok().filter(|size| *size > 0)
}

fn machine(params: &Params) -> Result<Machine> {
    let bytes = match params.find_nonempty("mem") {
        Some(_) => params.get_size_mib("mem").context("how many huge pages are needed")?,
        None => MEM,
    };
    let mount = params.find_nonempty("mem_path").map(Utf8PathBuf::from);
    let mount = if is_huge(params)? { mount.or_else(|| Some(MOUNT.into())) } else { None };
    Ok(Machine { bytes, mount })
}

fn is_huge(params: &Params) -> Result<bool> {
    let key = if params.find("hugepage").is_some() { "hugepage" } else { "hugepages" };
    match params.find_nonempty(key) {
        Some(_) => params.get_bool(key),
        None => Ok(false),
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} huge pages of {} KiB", self.pages, self.size_kib)
    }
}
