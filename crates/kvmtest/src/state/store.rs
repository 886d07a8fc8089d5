//! The store of states in the cache.

use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use super::contents::{self, Kind};
use super::draft::Draft;
use super::entry::Entry;
use super::eviction;
use super::facts::Facts;
use super::found::{Found, State};
use super::look::{Care, Look, look};
use super::recipe::Recipe;
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::lock::Lock;
use crate::{directories, doing};

/// What a store may take on disk where nothing else is said, in bytes: 10 GiB.
pub const LIMIT: u64 = 10 << 30;

/// How many digits of a digest name a state at least.
const FEWEST_DIGITS: usize = 4;

/// States: `states` in the cache, a directory for each, called by the digest of its recipe.
#[derive(Debug, Clone)]
pub struct Store {
    root: Utf8PathBuf,
    limit: u64,
}

impl Store {
    /// The user's store, in [`directories::cache`].
    pub fn open() -> Result<Self> {
        Self::at(&directories::cache()?.join("states"))
    }

    /// The store in `root`, which is made if need be.
    pub fn at(root: &Utf8Path) -> Result<Self> {
        Ok(Self { root: directories::private(root)?, limit: LIMIT })
    }

    /// The same store, which is kept below `limit` bytes instead of [`LIMIT`] when something is
    /// made in it.
    #[must_use]
    pub fn with_limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// Where it lies.
    pub fn directory(&self) -> &Utf8Path {
        &self.root
    }

    /// The state of this recipe: found and verified, or made by `build`, which leaves its files in
    /// the draft's directory. Then the store is brought below its limit.
    ///
    /// Of several that want the same state at once, in this process or in others, one makes it; the
    /// others wait for that until `deadline` ([`ErrorKind::State`] when it passes) or an interrupt.
    /// If `build` fails, or its process is killed, the next one makes it.
    pub fn find_or_build(
        &self,
        recipe: &Recipe,
        deadline: Deadline,
        build: impl FnOnce(&Draft) -> Result<Facts>,
    ) -> Result<Found> {
        let digest = recipe.digest();
        let directory = contents::directory(&self.root, &digest);
        if let Look::Whole(state) = look(&directory, &digest, Care::Glance)? {
            return Ok(Found { state, built: None });
        }
        let lock = self.lock(recipe, &digest, deadline)?;
        if let Some(state) = self.settle(recipe.name(), &digest, &lock)? {
            return Ok(Found { state, built: None });
        }
        contents::remove_drafts(&self.root, &digest, &lock)?;
        let begun = Instant::now();
        let draft = Draft::make(&self.root, &digest)?;
        let facts = build(&draft)?;
        draft.complete(recipe, facts, &directory)?;
        let built = Some(begun.elapsed());
        let state = match look(&directory, &digest, Care::Glance)? {
            Look::Whole(state) => state,
            other => return Err(other.into()),
        };
        // While the lock is held, so that what was made just now stays.
        if let Err(error) = eviction::sweep(&self.root, self.limit) {
            tracing::warn!(%error, "the store of states cannot be cleared up");
        }
        Ok(Found { state, built })
    }

    /// The state of this recipe, verified. A broken one is dropped, with a warning that says why.
    pub fn find(&self, recipe: &Recipe) -> Result<Option<State>> {
        let digest = recipe.digest();
        let directory = contents::directory(&self.root, &digest);
        match look(&directory, &digest, Care::Glance)? {
            Look::Whole(state) => return Ok(Some(state)),
            Look::Absent => return Ok(None),
            Look::Doubtful | Look::Broken(_) | Look::Foreign(_) => {}
        }
        if let Some(lock) = Lock::try_take(&contents::lock(&self.root, &digest))? {
            return self.settle(recipe.name(), &digest, &lock);
        }
        // Somebody else is about to find the same, and does what has to be done.
        match look(&directory, &digest, Care::Thorough)? {
            Look::Whole(state) => Ok(Some(state)),
            _ => Ok(None),
        }
    }

    /// All states, also broken ones, with why. Large files are not digested for it.
    pub fn list(&self) -> Result<Vec<Entry>> {
        let items = contents::items(&self.root)?;
        let states = items.iter().filter(|item| item.kind == Kind::State);
        Ok(states.filter_map(|item| Entry::read(&item.path, &item.digest)).collect())
    }

    /// Removes all states of a name, or the one whose digest begins with `which` (four digits or
    /// more); gives back what they were. Machines that started from them live on.
    ///
    /// Where `which` could mean several, or none is meant, that is an [`ErrorKind::State`].
    pub fn remove(&self, which: &str) -> Result<Vec<Entry>> {
        let meant = meant(self.list()?, which)?;
        let mut removed = Vec::new();
        for entry in meant {
            if contents::drop_state(&self.root, &entry.digest)? {
                removed.push(entry);
            }
        }
        Ok(removed)
    }

    /// Removes what builders have left who were killed, broken states, and then the least recently
    /// used ones until the rest takes no more than `limit` bytes on disk; gives back what was
    /// removed. What somebody is making or verifying stays.
    pub fn gc(&self, limit: u64) -> Result<Vec<Entry>> {
        eviction::sweep(&self.root, limit)
    }

    fn lock(&self, recipe: &Recipe, digest: &str, deadline: Deadline) -> Result<Lock> {
        let name = recipe.name();
        let doing = format!("waiting for the state `{name}`, which somebody else is making");
        let _doing = doing::begin(doing.clone());
        let path = contents::lock(&self.root, digest);
        let lock = Lock::wait(&path, deadline).with_context(|| doing)?;
        lock.ok_or_else(|| {
            let message = format!(
                "the state `{name}` was not made in time by somebody else, who has the lock {path}"
            );
            Error::new(ErrorKind::State, message)
        })
    }

    /// The state if it is there and whole, however long telling takes; else it is gone afterwards.
    fn settle(&self, name: &str, digest: &str, _lock: &Lock) -> Result<Option<State>> {
        let directory = contents::directory(&self.root, digest);
        let _doing = doing::begin(format!("verifying the state `{name}`"));
        let why = match look(&directory, digest, Care::Thorough)? {
            Look::Whole(state) => {
                if let Err(error) = state.note() {
                    // It is verified once more next time.
                    tracing::debug!(%error, "cannot note that a state was verified");
                }
                return Ok(Some(state));
            }
            Look::Absent => return Ok(None),
            Look::Doubtful => "its files change while they are read".to_owned(),
            Look::Foreign(version) => format!("it is of version {version}"),
            Look::Broken(why) => why,
        };
        tracing::warn!(state = name, digest, why, "a broken state is dropped");
        contents::drop_state(&self.root, digest)?;
        Ok(None)
    }
}

fn meant(entries: Vec<Entry>, which: &str) -> Result<Vec<Entry>> {
    let is_digest = which.len() >= FEWEST_DIGITS && which.bytes().all(|c| c.is_ascii_hexdigit());
    let which_digest = which.to_ascii_lowercase();
    let is_named = |entry: &Entry| entry.name.as_deref() == Some(which);
    let begins = |entry: &Entry| is_digest && entry.digest.starts_with(&which_digest);
    let named = entries.iter().filter(|entry| is_named(entry)).count();
    let others: Vec<&Entry> =
        entries.iter().filter(|entry| begins(entry) && !is_named(entry)).collect();
    let shown = which.escape_debug();
    let refused = |message: String| Err(Error::new(ErrorKind::State, message));
    match (named, others.as_slice()) {
        (0, []) => refused(format!(
            "no state is called `{shown}`, and no digest begins so (with {FEWEST_DIGITS} digits or \
             more): `kvmtest state list` has them"
        )),
        (0, [_]) => Ok(entries.into_iter().filter(begins).collect()),
        (_, []) => Ok(entries.into_iter().filter(is_named).collect()),
        (named, others) => {
            let of_others: Vec<&str> = others.iter().map(|entry| entry.digest.as_str()).collect();
            let of_others = of_others.join(", ");
            refused(match named {
                0 => format!("`{shown}` begins several digests: say more of one: {of_others}"),
                _ => format!(
                    "`{shown}` is a name, and begins the digest of another state: say more of a \
                     digest: {of_others}"
                ),
            })
        }
    }
}
