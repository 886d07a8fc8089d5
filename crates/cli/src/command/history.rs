//! `kvmtest history`: how tests ended in earlier runs.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use camino::Utf8Path;
use kvmtest::Result;
use kvmtest_runner::exit_code;
use kvmtest_runner::history::{self, Rebuilt, Single, Story};
use serde_json::{Value, json};

use crate::args::{History, HistoryFormat};
use crate::output::Output;
use crate::terminal::{clean, duration, moment, note, table};

/// How many runs of a test a person is shown.
const SHOWN: usize = 20;

pub(super) fn execute(args: &History) -> Result<u8> {
    let base =
        args.rebuild.as_ref().filter(|dir| !dir.as_str().is_empty()).unwrap_or(&args.results);
    let history = history::History::beside(base);
    if args.rebuild.is_some() {
        let Rebuilt { runs, remarks } = history.rebuild()?;
        for remark in remarks {
            note(format!("kvmtest: {}", clean(&remark)));
        }
        note(format!("{} is made of {runs} runs", history.path()));
    }
    let stories = history.stories()?;
    if stories.is_empty() {
        note(format!("no run has left a history in {base} (`--results DIR` names another place)"));
        if !args.tests.is_empty() {
            return Ok(exit_code::NOTHING_MATCHED);
        }
    }
    let stories = match history::pick(stories, &args.tests) {
        Ok(stories) => stories,
        Err(nothing) => {
            note(clean(&nothing));
            return Ok(exit_code::NOTHING_MATCHED);
        }
    };
    // Of all tests that ever ran, single runs would be more than anybody reads.
    let singles = if args.tests.is_empty() {
        HashMap::new()
    } else {
        let names: HashSet<&str> = stories.iter().map(|story| story.name.as_str()).collect();
        history.singles(&names)?
    };
    let text = match args.format {
        HistoryFormat::Json => {
            let tests: Vec<Value> = stories.iter().map(|story| told(story, &singles)).collect();
            let document = json!({ "version": history::VERSION, "tests": tests });
            format!("{document:#}\n")
        }
        HistoryFormat::Table if stories.is_empty() => String::new(),
        HistoryFormat::Table => {
            let single = |story: &Story| {
                let of_test = singles.get(&story.name)?;
                Some(format!("\n{}\n{}", clean(&story.name), runs(of_test, base)))
            };
            rows(&stories) + &stories.iter().filter_map(single).collect::<String>()
        }
    };
    let mut out = Output::new();
    let _ = out.lines(|lines| lines.extend(text.bytes()))?;
    let _ = out.flush()?;
    Ok(0)
}

/// A story as JSON, with its single runs where there are any.
fn told(story: &Story, singles: &HashMap<String, Vec<Single>>) -> Value {
    let mut told = json!(story);
    if let (Some(singles), Some(told)) = (singles.get(&story.name), told.as_object_mut()) {
        told.insert("singles".to_owned(), json!(singles));
    }
    told
}

/// The last runs of one test, the last one first.
fn runs(singles: &[Single], base: &Utf8Path) -> String {
    let mut rows = vec![["  when", "outcome", "time", "results"].map(str::to_owned).to_vec()];
    rows.extend(singles.iter().take(SHOWN).map(|single| {
        let known = if single.known { " (known)" } else { "" };
        let flaky = if single.flaky { " (flaky)" } else { "" };
        let folder = base.join(&single.directory);
        let gone = if folder.exists() { "" } else { " (gone)" };
        vec![
            format!("  {}", moment(single.at)),
            format!("{}{known}{flaky}", single.outcome),
            duration(single.duration_ms),
            clean(&format!("{folder}{gone}")),
        ]
    }));
    let mut text = table(&rows);
    if let Some(more) = singles.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "  … and {more} before these (`--format json` has all)");
    }
    text
}

fn rows(stories: &[Story]) -> String {
    let head = ["runs", "passed", "flaky", "last", "", "time", "trend", "test"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(stories.iter().map(row));
    table(&rows)
}

fn row(story: &Story) -> Vec<String> {
    let known = if story.last.known { " (known)" } else { "" };
    vec![
        story.runs.to_string(),
        percent(story.pass_rate),
        percent(story.flakiness),
        format!("{}{known}", story.last.outcome),
        moment(story.last.at),
        story.median_ms.map(duration).unwrap_or_default(),
        story.trend.map(|trend| format!("{:+.0}%", trend * 100.0)).unwrap_or_default(),
        clean(&story.name),
    ]
}

fn percent(part: Option<f64>) -> String {
    part.map(|part| format!("{:.0}%", part * 100.0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use kvmtest_runner::Outcome;
    use kvmtest_runner::history::Last;

    use super::*;

    #[test]
    fn the_last_runs_of_a_test_are_shown() {
        let single = |number: u32| Single {
            at: "2026-01-02T03:04:05Z".parse().expect("a time"),
            outcome: Outcome::Fail,
            known: number == 0,
            flaky: false,
            cause: None,
            duration_ms: 61_000,
            directory: format!("gone\x1b{number}"),
        };
        let text = runs(&(0..21).map(single).collect::<Vec<_>>(), "nowhere".into());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + SHOWN + 1, "{text}");
        assert!(lines[1].contains("FAIL (known)  1m01s  nowhere/gone0 (gone)"), "{text}");
        assert_eq!(lines[SHOWN + 1], "  … and 1 before these (`--format json` has all)");
        assert_eq!(runs(&[single(1)], "nowhere".into()).lines().count(), 2);
    }

    #[test]
    fn a_row_tells_what_is_known_and_nothing_else() {
        let last = Last {
            outcome: Outcome::Fail,
            known: true,
            at: "2026-01-02T03:04:05Z".parse().expect("a time"),
            directory: "x".into(),
        };
        let story = Story {
            name: "a\x1b[2J".into(),
            shortname: "a".into(),
            subtest: "boot".into(),
            runs: 12,
            passed: 9,
            failed: 3,
            known: 1,
            flaky: 0,
            pass_rate: Some(0.75),
            flakiness: Some(0.333),
            last,
            median_ms: Some(61_500),
            median_before_ms: Some(41_000),
            trend: Some(0.5),
        };
        let told =
            ["12", "75%", "33%", "FAIL (known)", &moment(story.last.at), "1m02s", "+50%", "a[2J"];
        assert_eq!(row(&story), told);
        let unknown =
            Story { pass_rate: None, flakiness: None, median_ms: None, trend: None, ..story };
        assert_eq!(row(&unknown)[1..3], ["", ""]);
        assert_eq!(row(&unknown)[5..7], ["", ""]);
    }
}
