//! Huge pages of the host: reserved for a test, and given back after it.
//!
//! Runs on one host share the pool, so each adds what it needs and takes away what it added;
//! nobody sets the pool to a number of his own. What a run that was killed had added is in a
//! ledger, and the next one gives it back.

mod ledger;
pub(crate) mod need;
mod pool;
#[cfg(test)]
mod tests;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::host::ProcessId;
use kvmtest::{Context, Error, ErrorKind, Params, Result, directories};
use serde::{Deserialize, Serialize};

use self::ledger::Ledger;
use self::need::{Need, machines};
use self::pool::{Pool, Refused};

/// The host's pools of huge pages.
pub(crate) struct Hugepages {
    /// A directory for each size: `hugepages-2048kB`.
    sysfs: Utf8PathBuf,
    meminfo: Utf8PathBuf,
    /// Where the ledger is, if not in the runtime directory.
    ledger: Option<Utf8PathBuf>,
    /// The size, in KiB, of the pages of which files below a directory are made.
    size_of_mount: fn(&Utf8Path) -> Result<u64>,
}

/// Pages that were added to a pool, and have to be given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reserved {
    pub(crate) size_kib: u64,
    pub(crate) pages: u64,
    pub(crate) holder: ProcessId,
}

impl Default for Hugepages {
    fn default() -> Self {
        Self {
            sysfs: "/sys/kernel/mm/hugepages".into(),
            meminfo: "/proc/meminfo".into(),
            ledger: None,
            size_of_mount: need::size_of_mount,
        }
    }
}

impl Hugepages {
    /// What the machines of a test need, by size of page.
    pub(crate) fn needs(&self, params: &Params) -> Result<Vec<Need>> {
        let mut needs: Vec<Need> = Vec::new();
        for machine in machines(params)? {
            let size_kib = match &machine.mount {
                Some(mount) => (self.size_of_mount)(mount)?,
                None => self.default_size()?,
            };
            let pages = machine.bytes.div_ceil(size_kib << 10);
            match needs.iter_mut().find(|need| need.size_kib == size_kib) {
                Some(need) => need.pages += pages,
                None => needs.push(Need { size_kib, pages }),
            }
        }
        Ok(needs)
    }

    /// Adds pages to the pool; or none, where it may not be changed but has as many free ones.
    pub(crate) fn reserve(&self, need: Need) -> Result<Reserved> {
        let holder = ProcessId::own()?;
        let mut reserved = Reserved { size_kib: need.size_kib, pages: need.pages, holder };
        let doing = || format!("reserving {need}");
        let pool = Pool::open(&self.sysfs, need.size_kib).with_context(doing)?;
        let ledger = self.ledger()?;
        give_back_dead(&pool, &ledger).with_context(doing)?;
        match pool.add(need.pages).with_context(doing)? {
            Ok(()) => ledger.add(&reserved).with_context(doing)?,
            Err(Refused::Forbidden(_)) if pool.free()? >= need.pages => reserved.pages = 0,
            Err(refused) => {
                let free = pool.free()?;
                let message = format!("{refused}; {free} are free now");
                return Err(Error::new(ErrorKind::Host, message)).with_context(doing);
            }
        }
        Ok(reserved)
    }

    /// Takes away from the pool what was added.
    pub(crate) fn give_back(&self, reserved: &Reserved) -> Result<()> {
        if reserved.pages == 0 {
            return Ok(());
        }
        let doing = || format!("giving {} huge pages back", reserved.pages);
        let pool = Pool::open(&self.sysfs, reserved.size_kib).with_context(doing)?;
        pool.subtract(reserved.pages).with_context(doing)?;
        self.ledger()?.remove(reserved).with_context(doing)
    }

    /// Gives back what runs had added that are gone.
    pub(crate) fn collect(&self) -> Result<()> {
        let ledger = self.ledger()?;
        for size_kib in ledger.sizes()? {
            give_back_dead(&Pool::open(&self.sysfs, size_kib)?, &ledger)?;
        }
        Ok(())
    }

    fn ledger(&self) -> Result<Ledger> {
        Ok(Ledger::new(match &self.ledger {
            Some(path) => path.clone(),
            None => directories::runtime_path()?.join("hugepages.json"),
        }))
    }

    fn default_size(&self) -> Result<u64> {
        let text = std::fs::read_to_string(&self.meminfo)
            .with_context(|| format!("reading {}", self.meminfo))?;
        need::default_size(&text).ok_or_else(|| {
            Error::new(ErrorKind::Host, "this host's kernel has no huge pages (`/proc/meminfo`)")
        })
    }
}

/// To be called with the pool open, which is to have it locked.
fn give_back_dead(pool: &Pool, ledger: &Ledger) -> Result<()> {
    for dead in ledger.of_the_dead(pool.size_kib())? {
        tracing::info!("giving back {} huge pages of a run that was killed", dead.pages);
        pool.subtract(dead.pages)?;
        ledger.remove(&dead)?;
    }
    Ok(())
}
