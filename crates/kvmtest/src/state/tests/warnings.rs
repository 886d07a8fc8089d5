use std::fmt::Write;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::*;

/// Notes the warnings of this thread.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(String::new());
        event.record(&mut words);
        self.0.lock().expect("whole").push(words.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_broken_state_is_dropped_with_a_warning_that_says_why() {
    let room = Room::new();
    let notes = Notes::default();
    let warnings = || std::mem::take(&mut *notes.0.lock().expect("whole"));
    tracing::subscriber::with_default(notes.clone(), || {
        let directory = room.want(&recipe("booted")).0.directory().to_owned();
        room.want(&recipe("booted"));
        assert_eq!(warnings(), [""; 0], "nothing is wrong");
        for is_built in [false, true] {
            std::fs::remove_file(directory.join("memory")).expect("removed");
            if !is_built {
                assert!(room.store.find(&recipe("booted")).expect("no error").is_none());
            }
            room.want(&recipe("booted"));
            let told = warnings();
            let [warning] = &told[..] else { panic!("{told:?}") };
            assert!(warning.contains("`memory` is missing"), "{warning}");
            assert!(warning.contains("booted") && warning.contains(&recipe("booted").digest()));
        }
    });
}
