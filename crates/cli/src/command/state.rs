//! `kvmtest state`: the states in the cache.

mod build;
mod unlike;

use kvmtest::Result;
use kvmtest::state::{Condition, Entry, Store};
use serde_json::{Value, json};

use crate::args::StateCommand;
use crate::terminal::{bytes, clean, moment, say, table};

/// Of what programs read.
const VERSION: u32 = 1;

pub(super) fn execute(command: StateCommand) -> Result<u8> {
    match command {
        StateCommand::Build(args) => build::execute(&args),
        StateCommand::List { json } => list(&Store::open()?, json),
        StateCommand::Rm { which } => remove(&Store::open()?, &which),
        StateCommand::Gc { limit } => collect(&Store::open()?, limit),
    }
}

fn list(store: &Store, json: bool) -> Result<u8> {
    let mut entries = store.list()?;
    entries.sort_by(|a, b| (b.used, &a.digest).cmp(&(a.used, &b.digest)));
    let total = Entry::bytes_of_all(&entries);
    if json {
        let states: Vec<Value> = entries.iter().map(told).collect();
        let document = json!({ "version": VERSION, "bytes": total, "states": states });
        say(format!("{document:#}"));
    } else if entries.is_empty() {
        say("there is no state");
    } else {
        let head = ["NAME", "WHAT", "QEMU", "SIZE", "USED", "DIGEST", ""];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(entries.iter().map(|entry| row(entry, &entries)));
        say(table(&rows).trim_end());
        say(format!("\ntogether {} on disk", bytes(total)));
    }
    Ok(0)
}

fn remove(store: &Store, which: &[String]) -> Result<u8> {
    for which in which {
        for entry in store.remove(which)? {
            say(format!("removed: {}", short(&entry)));
        }
    }
    Ok(0)
}

fn collect(store: &Store, limit: u64) -> Result<u8> {
    let removed = store.gc(limit)?;
    if removed.is_empty() {
        say("nothing to clear up");
    }
    for entry in removed {
        let why = match trouble(&entry.condition) {
            Some(trouble) => line(&trouble),
            None => "it was not used for longest".to_owned(),
        };
        say(format!("removed: {} ({}): {why}", short(&entry), bytes(entry.bytes)));
    }
    Ok(0)
}

/// One that cannot be used says why; any other, what tells it from the first of `all` that looks
/// the same.
fn row(entry: &Entry, all: &[Entry]) -> Vec<String> {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let looks = |entry: &Entry| (entry.name.clone(), entry.what.clone(), qemu(entry));
    let first = || all.iter().find(|other| looks(other) == looks(entry));
    let apart = || first().map(|first| unlike::unlike(entry, first)).filter(|it| !it.is_empty());
    let last = trouble(&entry.condition).or_else(|| Some(format!("other {}", apart()?)));
    vec![
        or_none(entry.name.as_deref().map(line)),
        or_none(entry.what.as_deref().map(line)),
        or_none(qemu(entry).as_deref().map(line)),
        bytes(entry.bytes),
        or_none(entry.used.map(moment)),
        digits(entry).to_owned(),
        last.as_deref().map(line).unwrap_or_default(),
    ]
}

/// Its QEMU's version, and how that runs the guest: `7.2.22 tcg`.
fn qemu(entry: &Entry) -> Option<String> {
    let recipe = entry.recipe.as_deref()?;
    let version = unlike::value(recipe, "qemu")?.split_whitespace().next()?;
    let accel = unlike::value(recipe, "accel").unwrap_or_default();
    Some(format!("{version} {accel}").trim_end().to_owned())
}

/// What is not as it should be, for people.
fn trouble(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Whole | Condition::Unverified => None,
        Condition::Foreign(version) => Some(format!("of another version of kvmtest: {version}")),
        Condition::Broken(why) => Some(format!("broken: {why}")),
        Condition::Unreadable(why) => Some(format!("cannot be read: {why}")),
        Condition::Unfinished => Some("left by somebody who was killed".to_owned()),
    }
}

fn told(entry: &Entry) -> Value {
    let (condition, why) = match &entry.condition {
        Condition::Whole => ("whole", None),
        Condition::Unverified => ("unverified", None),
        Condition::Foreign(version) => ("foreign", Some(format!("version {version}"))),
        Condition::Broken(why) => ("broken", Some(why.clone())),
        Condition::Unreadable(why) => ("unreadable", Some(why.clone())),
        Condition::Unfinished => ("unfinished", None),
    };
    json!({
        "digest": entry.digest,
        "name": entry.name,
        "what": entry.what,
        "bytes": entry.bytes,
        "made": entry.made,
        "used": entry.used,
        "condition": condition,
        "why": why,
        "directory": entry.directory,
        "recipe": entry.recipe,
        "facts": entry.facts.as_ref().map(|facts| &facts.0),
    })
}

fn short(entry: &Entry) -> String {
    match &entry.name {
        Some(name) => format!("{} {}", line(name), digits(entry)),
        None => digits(entry).to_owned(),
    }
}

/// As much of the digest as anybody needs.
fn digits(entry: &Entry) -> &str {
    entry.digest.get(..12).unwrap_or(&entry.digest)
}

/// What somebody may have written into the store, as one line.
fn line(text: &str) -> String {
    clean(text).replace('\n', " ")
}
