//! What of a test is shown when it is opened.

use std::collections::BTreeMap;

use serde::Serialize;

use super::embed::{Embedder, File};
use super::params::Params;
use crate::event::Phase;
use crate::report::record::{NoteRecord, PhaseRecord, Record, SlowRecord};
use crate::report::story::{Places, Story, is_plain};
use crate::report::whole::TestRecord;

/// What of a test is shown when it is opened.
#[derive(Serialize)]
pub(super) struct Details<'a> {
    began: String,
    duration_ms: u64,
    worker: u32,
    iteration: u32,
    directory: &'a str,
    href: String,
    story: Story,
    earlier: Vec<Try>,
    phases: Vec<PhaseRecord>,
    slow: &'a [SlowRecord],
    notes: &'a [NoteRecord],
    facts: &'a BTreeMap<String, String>,
    /// Numbers of entries that tests share.
    params: Vec<usize>,
    files: Vec<File>,
}

/// A try that does not count.
#[derive(Serialize)]
struct Try {
    attempt: u32,
    word: &'static str,
    duration_ms: u64,
    href: String,
    story: Story,
}

impl<'a> Details<'a> {
    pub(super) fn of(
        test: &'a TestRecord,
        places: Places<'_>,
        params: &mut Params,
        embedder: &mut Embedder<'_>,
    ) -> Self {
        let record = &test.last;
        let started = &record.started;
        let directory = started.directory.as_str();
        let evidence = record.finished.iter().flat_map(|finished| &finished.evidence);
        let names: Vec<&String> = evidence.filter(|name| is_plain(name)).collect();
        Self {
            began: record.began.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            duration_ms: record.duration_ms(),
            worker: started.worker,
            iteration: started.iteration,
            directory,
            href: embedder.link(&format!("{directory}/")),
            story: Story::of(record, places),
            earlier: test.earlier.iter().map(|record| Try::of(record, places, embedder)).collect(),
            phases: phases(record),
            slow: &record.slow,
            notes: &record.notes,
            facts: &record.facts,
            params: params.add(&places.results.join(directory)),
            files: names.iter().map(|name| embedder.file(directory, name)).collect(),
        }
    }
}

impl Try {
    fn of(record: &Record, places: Places<'_>, embedder: &Embedder<'_>) -> Self {
        Self {
            attempt: record.started.attempt,
            word: record.word(),
            duration_ms: record.duration_ms(),
            href: embedder.link(&format!("{}/", record.started.directory)),
            story: Story::of(record, places),
        }
    }
}

/// The phases, the one that never ended among them.
fn phases(record: &Record) -> Vec<PhaseRecord> {
    let open = record.phase.map(|(phase, start_ms): (Phase, u64)| PhaseRecord {
        phase,
        start_ms,
        duration_ms: 0,
        error: Some("it never ended".into()),
    });
    record.phases.iter().cloned().chain(open).collect()
}
