//! The page without what is shown when a test is opened: its head and the rows of its table.

use serde::Serialize;

use crate::event::{Counts, RunStarted};
use crate::outcome::Outcome;
use crate::report::record::Record;
use crate::report::text::{duration, for_terminal, one_line, shell_word, shortened};
use crate::report::whole::{TestRecord, Whole};

/// What the template is filled with. All text is harmless already, but for markup, which the
/// template sees to.
#[derive(Serialize)]
pub(super) struct Page {
    /// The run in a few words: `2 of 9 tests failed`.
    verdict: String,
    /// The class that colours it.
    mood: &'static str,
    set: Option<String>,
    /// What is to be known before anything else.
    banners: Vec<String>,
    in_words: String,
    shares: Vec<Share>,
    share_total: usize,
    flaky: usize,
    facts: Vec<Fact>,
    remarks: Vec<String>,
    left_out: Vec<String>,
    rows: Vec<Row>,
    made_by: &'static str,
}

/// How much of the run ended in one way.
#[derive(Serialize)]
struct Share {
    word: &'static str,
    class: String,
    start: usize,
    count: usize,
}

/// Something about the run.
#[derive(Serialize)]
struct Fact {
    key: String,
    value: String,
    code: bool,
    /// On a line of its own.
    wide: bool,
}

/// A test in the table.
#[derive(Serialize)]
struct Row {
    number: u32,
    word: &'static str,
    class: String,
    flaky: bool,
    label: String,
    /// The full name, where it says more.
    name: Option<String>,
    /// What is special about it, in a few words.
    aside: String,
    message: String,
    duration: String,
    duration_ms: u64,
    began_ms: u64,
    worker: u32,
}

impl Page {
    pub(super) fn of(whole: &Whole) -> Self {
        let counts = whole.counts();
        let shares = shares(whole, counts);
        let started = whole.started.as_ref();
        let (verdict, mood) = verdict(whole, counts);
        Self {
            verdict,
            mood,
            set: started.and_then(|started| started.set.as_deref()).map(for_terminal),
            banners: banners(whole),
            in_words: in_words(whole),
            share_total: shares.iter().map(|share| share.count).sum::<usize>().max(1),
            shares,
            flaky: counts.flaky,
            facts: facts(whole),
            remarks: whole.remarks.iter().map(|(_, text)| for_terminal(text)).collect(),
            left_out: started
                .iter()
                .flat_map(|started| &started.left_out)
                .map(|name| for_terminal(name))
                .collect(),
            rows: whole.tests().map(row).collect(),
            made_by: concat!("made by kvmtest ", env!("CARGO_PKG_VERSION"), " from events.jsonl"),
        }
    }
}

fn verdict(whole: &Whole, counts: Counts) -> (String, &'static str) {
    let total = whole.planned();
    let failures = counts.failures() + whole.unfinished();
    let noun = if total == 1 { "test" } else { "tests" };
    match failures {
        _ if whole.end.is_none() => ("The run has not ended".into(), "unfinished"),
        0 if whole.interrupted() => ("The run was interrupted".into(), "interrupted"),
        0 if counts.total() == 0 => ("Nothing ran".into(), "skip"),
        0 if counts.known > 0 => (format!("No new failure among {total} {noun}"), "known"),
        0 if counts.pass + counts.warn == 0 => ("No test applied".into(), "skip"),
        0 => (format!("No failure among {total} {noun}"), "pass"),
        1 if total == 1 => ("The test failed".into(), "fail"),
        _ => (format!("{failures} of {total} {noun} failed"), "fail"),
    }
}

fn banners(whole: &Whole) -> Vec<String> {
    let mut banners = Vec::new();
    let counts = whole.counts();
    if whole.end.is_none() {
        let running = whole.unfinished();
        banners.push(format!(
            "The events end before the run did: it is still going on, or was killed. {running} \
             running, {} not begun.",
            counts.not_run
        ));
    } else if whole.interrupted() {
        banners.push(format!("Interrupted: {} not run.", counts.not_run));
    }
    if let [(line, why), more @ ..] = &whole.broken[..] {
        let others =
            if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        banners.push(for_terminal(&format!(
            "Events are missing: line {line} of events.jsonl is broken ({why}){others}. The rest is \
             shown."
        )));
    }
    banners
}

/// The outcomes that there are, from the worst to the best.
fn shares(whole: &Whole, counts: Counts) -> Vec<Share> {
    let mut parts = vec![("UNFINISHED", whole.unfinished())];
    let outcomes = Outcome::ALL.into_iter().rev();
    parts.extend(outcomes.map(|outcome| (outcome.word(), counts.of(outcome))));
    let warn = parts.iter().position(|(word, _)| *word == "WARN").unwrap_or(parts.len());
    parts.insert(warn, ("KNOWN", counts.known));
    let mut start = 0;
    let shares = parts.into_iter().filter(|(_, count)| *count > 0);
    shares
        .map(|(word, count)| {
            let share = Share { word, class: word.to_lowercase(), start, count };
            start += count;
            share
        })
        .collect()
}

fn in_words(whole: &Whole) -> String {
    let counts = whole.counts();
    let flaky = if counts.flaky > 0 { format!(" ({} flaky)", counts.flaky) } else { String::new() };
    let parts = [
        (counts.pass, format!("passed{flaky}")),
        (counts.warn, "passed with warnings".into()),
        (counts.fail, "failed".into()),
        (counts.error, "could not be carried out".into()),
        (counts.interrupted, "interrupted".into()),
        (whole.unfinished(), "never ended".into()),
        (counts.known, "failed as known".into()),
        (counts.skip, "skipped".into()),
        (counts.cancel, "cancelled".into()),
        (counts.not_run, "not run".into()),
    ];
    let told = parts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, what)| format!("{count} {what}")).collect();
    if told.is_empty() { "nothing ran".into() } else { told.join(", ") }
}

fn facts(whole: &Whole) -> Vec<Fact> {
    let fact = |key: &str, value: &str, code, wide| {
        let (key, value) = (for_terminal(key), for_terminal(value));
        Fact { key, value, code, wide }
    };
    let mut facts = Vec::new();
    if let Some(began) = whole.began {
        let began = began.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        facts.push(fact("began", &began, false, false));
    }
    facts.push(fact("took", &duration(whole.duration_ms()), false, false));
    if let Some(RunStarted { program, host, argv, set, perturb, .. }) = &whole.started {
        facts.push(fact("program", program, false, false));
        facts.push(fact("host", &host.name, false, false));
        let kernel = format!("{} {}", host.kernel, host.machine);
        facts.push(fact("kernel", &kernel, false, false));
        facts.push(fact("processors", &host.cpus.to_string(), false, false));
        facts.extend(set.iter().map(|set| fact("set", set, false, false)));
        facts.extend(perturb.iter().map(|what| fact("perturbed", what, true, false)));
        let transitions = whole.transitions().map(|all| all.to_string());
        facts.extend(transitions.iter().map(|all| fact("went through", all, false, false)));
        facts.extend(shared(whole).iter().map(|(key, value)| fact(key, value, false, false)));
        let words: Vec<String> = argv.iter().map(|word| shell_word(word)).collect();
        facts.push(fact("command", &words.join(" "), true, true));
    }
    facts.push(fact("results", whole.results().as_str(), true, true));
    facts
}

/// The versions that all tests noted alike, so that they are the run's: `qemu_version`.
fn shared(whole: &Whole) -> Vec<(String, String)> {
    let mut tests = whole.tests().map(|test| &test.last.facts).filter(|facts| !facts.is_empty());
    let Some(first) = tests.next() else { return Vec::new() };
    let versions = first.iter().filter(|(key, _)| key.ends_with("_version"));
    let mut shared: Vec<(&String, &String)> = versions.collect();
    tests.for_each(|facts| shared.retain(|(key, value)| facts.get(*key) == Some(*value)));
    shared.into_iter().map(|(key, value)| (key.replace('_', " "), value.clone())).collect()
}

fn row(test: &TestRecord) -> Row {
    /// Characters of a message; the whole of it is in the test's story.
    const MESSAGE: usize = 240;
    let record = &test.last;
    let label = record.label();
    let name = &record.started.name;
    let message = record
        .finished
        .as_ref()
        .map_or("the events end before the test did", |finished| &finished.message);
    Row {
        number: record.started.test,
        word: record.word(),
        class: record.word().to_lowercase(),
        flaky: record.finished.as_ref().is_some_and(|finished| finished.flaky),
        name: (*name != label && !name.is_empty()).then(|| for_terminal(name)),
        label: for_terminal(&one_line(&label)),
        aside: for_terminal(&aside(record, test.earlier.len())),
        message: for_terminal(&shortened(&one_line(message), MESSAGE)),
        duration: record.finished.as_ref().map_or("?".into(), |end| duration(end.duration_ms)),
        duration_ms: record.duration_ms(),
        began_ms: record.began_ms,
        worker: record.started.worker,
    }
}

fn aside(record: &Record, earlier: usize) -> String {
    let Some(finished) = &record.finished else { return String::new() };
    let mut parts: Vec<String> =
        finished.cause.map(|cause| cause.words().into()).into_iter().collect();
    parts.extend(
        finished
            .known
            .as_ref()
            .map(|known| format!("known: {}", shortened(&one_line(&known.reason), 120))),
    );
    if finished.flaky {
        parts.push(format!("flaky: passed at try {}", record.started.attempt));
    } else if earlier > 0 {
        parts.push(format!("{} tries", earlier + 1));
    }
    if !record.transitions.is_empty() {
        parts.push(record.transitions.to_string());
    }
    if !record.warnings.is_empty() && finished.message.is_empty() {
        parts.push(shortened(&one_line(&record.warnings.join("; ")), 160));
    }
    parts.join("; ")
}
