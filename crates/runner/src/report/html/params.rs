//! The params of all tests, each entry once: most tests share most of theirs.

use std::collections::HashMap;

use camino::Utf8Path;

/// A key, its value, and the place that set it.
type Entry = (String, String, String);

/// All entries of all tests, each once.
#[derive(Debug, Default)]
pub(super) struct Params {
    entries: Vec<Entry>,
    numbers: HashMap<Entry, usize>,
}

impl Params {
    /// Adds those of the test whose directory this is; gives back their numbers. A test that has
    /// no readable `params.json` has none.
    pub(super) fn add(&mut self, directory: &Utf8Path) -> Vec<usize> {
        let Ok(bytes) = std::fs::read(directory.join("params.json")) else { return Vec::new() };
        let Ok(params) = serde_json::from_slice::<kvmtest::Params>(&bytes) else {
            return Vec::new();
        };
        let entries = params.values().map(|(key, value)| {
            let origin = value.origin.as_ref().map(ToString::to_string);
            (key.to_owned(), value.text.to_string(), origin.unwrap_or_default())
        });
        entries.map(|entry| self.number(entry)).collect()
    }

    /// All entries, in the order of their numbers.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn number(&mut self, entry: Entry) -> usize {
        *self.numbers.entry(entry).or_insert_with_key(|entry| {
            self.entries.push(entry.clone());
            self.entries.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_share_is_kept_once() {
        let keep = tempfile::tempdir().expect("a directory");
        let dir = Utf8Path::from_path(keep.path()).expect("UTF-8");
        let write = |text: &str| std::fs::write(dir.join("params.json"), text).expect("written");
        let mut all = Params::default();
        assert!(all.add(dir).is_empty());
        let mut params = kvmtest::Params::new();
        params.set("mem", "1");
        params.set("smp", "2");
        write(&serde_json::to_string(&params).expect("serialises"));
        assert_eq!(all.add(dir), [0, 1]);
        params.set("mem", "2");
        write(&serde_json::to_string(&params).expect("serialises"));
        assert_eq!(all.add(dir), [2, 1]);
        assert_eq!(all.entries().len(), 3);
        for broken in ["", "{", "[1]", "{\"mem\": 1}", "\u{0}"] {
            write(broken);
            assert!(all.add(dir).is_empty(), "{broken}");
        }
    }
}
