//! What can be typed next: names of tests, labels, sets, blocks.

use std::collections::HashSet;

use super::config::{Read, Texts};
use super::files::Shipped;
use super::filter;
use super::known::Known;
use super::select::Choice;

/// How many things of a kind are offered: more than that, nobody reads.
const OFFERED: usize = 100;

/// How many variants are looked at. A shell waits for this.
const LOOKED_AT: usize = 4_000;

/// Something that can be typed, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The text.
    pub text: String,
    /// What it is, in one line; empty where that is not known.
    pub help: String,
}

/// What a configuration has to offer to somebody who is still typing. However many variants it
/// has, little more than reading it is done.
pub struct Offers {
    read: Read,
    set: Option<String>,
    known: Known,
}

impl Offers {
    /// What is left by `choice`, whose filters do not count; `None` where it cannot be read.
    pub fn new(choice: &Choice, shipped: &dyn Shipped, known: Known) -> Option<Self> {
        let read = Texts::of(choice, shipped, &known).read().ok()?;
        Some(Self { read, set: choice.set.clone(), known })
    }

    /// Filters that begin with `typed`: short names of variants, and labels where there is no
    /// such name or more of them than are offered.
    pub fn filters(&self, typed: &str) -> Vec<Offer> {
        // Only the last label of `a..b` and of `a, b` is still being typed.
        let end = [",", " ", ".."].iter().filter_map(|sep| Some(typed.rfind(sep)? + sep.len()));
        let Some(start) = end.max() else {
            let mut offers = self.names(typed);
            if offers.is_empty() || offers.len() >= OFFERED {
                offers.extend(self.labels("", typed));
            }
            return offers;
        };
        self.labels(&typed[..start], &typed[start..])
    }

    /// Keys that begin with `typed`.
    pub fn keys(&self, typed: &str) -> Vec<Offer> {
        let own = ["name", "shortname", "dep"].into_iter();
        let keys = self.read.census().keys().chain(own).filter(|key| key.starts_with(typed));
        let mut keys: Vec<&str> = keys.collect();
        keys.sort_unstable();
        keys.truncate(OFFERED);
        keys.into_iter().map(plain).collect()
    }

    /// The sets of the configuration.
    pub fn sets(&self) -> Vec<Offer> {
        let sets = self.read.census().assigned("sets").pop().unwrap_or_default();
        sets.split_whitespace().map(plain).collect()
    }

    /// The named blocks of the configuration.
    pub fn blocks(&self) -> Vec<Offer> {
        self.read.census().blocks().take(OFFERED).map(plain).collect()
    }

    fn names(&self, typed: &str) -> Vec<Offer> {
        if !self.read.census().may_begin_with(typed) {
            return Vec::new();
        }
        let only: Vec<String> = self.narrowed(typed).into_iter().chain(self.set.clone()).collect();
        let Ok(loaded) = self.read.clone().finish(&only) else { return Vec::new() };
        let mut seen = HashSet::new();
        let variants = loaded.config.variants().take(LOOKED_AT);
        variants
            .filter(|variant| {
                let name = variant.shortname();
                !name.is_empty() && name.starts_with(typed) && seen.insert(name.to_owned())
            })
            .take(OFFERED)
            .map(|variant| {
                let subtest = variant.get("type").and_then(|name| self.known.get(name));
                let help = subtest.map(|subtest| subtest.doc.clone()).unwrap_or_default();
                Offer { text: variant.shortname().to_owned(), help }
            })
            .collect()
    }

    /// A filter that leaves out most of what cannot begin with `typed`.
    fn narrowed(&self, typed: &str) -> Option<String> {
        let (whole, cut) = typed.rsplit_once('.').unwrap_or(("", typed));
        if typed.is_empty() {
            return None;
        }
        let mut before = whole.replace('.', "..");
        if cut.is_empty() {
            return Some(before);
        }
        if !before.is_empty() {
            before.push_str("..");
        }
        let census = self.read.census();
        // Not every label that begins so can stand at this place.
        let follows = |label: &str| {
            let name = format!("{}{label}", &typed[..typed.len() - cut.len()]);
            census.may_begin_with(&format!("{name}.")) || census.may_be_called(&name)
        };
        let labels = census.labels().filter(|label| label.starts_with(cut) && follows(label));
        let words: Vec<String> = labels.map(|label| format!("{before}{label}")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// Labels that begin with `typed`, each behind `before`: those that a name may have beside
    /// the ones that it has to have.
    fn labels(&self, before: &str, typed: &str) -> Vec<Offer> {
        let word = before.rsplit([',', ' ']).next().unwrap_or_default();
        let with: Vec<&str> = filter::labels(word).collect();
        let labels = self.read.census().labels_with(&with);
        let written = labels.into_iter().filter_map(|(block, name)| {
            if typed.starts_with('(') {
                block.map(|block| format!("({block}={name})"))
            } else {
                Some(name.to_owned())
            }
        });
        let is_other = |label: &String| !with.contains(&label.as_str());
        let mut found: Vec<String> =
            written.filter(|label| label.starts_with(typed) && is_other(label)).collect();
        found.sort_unstable();
        found.dedup();
        found.truncate(OFFERED);
        found.into_iter().map(|label| plain(&format!("{before}{label}"))).collect()
    }
}

fn plain(text: &str) -> Offer {
    Offer { text: text.to_owned(), help: String::new() }
}
