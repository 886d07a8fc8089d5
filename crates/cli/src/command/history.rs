//! `kvmtest history`: how tests ended in earlier runs.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kvmtest::Result;
use kvmtest_runner::history::{self, Rebuilt, Story};
use kvmtest_runner::plan::name_filter;
use serde_json::json;

use crate::args::{History, HistoryFormat};
use crate::output::Output;
use crate::terminal::{clean, duration, note, table};

pub(super) fn execute(args: &History) -> Result<u8> {
    let filter = name_filter(&args.tests)?;
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
    let mut stories = history.stories()?;
    if stories.is_empty() {
        note(format!("no run has left a history in {base} (`--results DIR` names another place)"));
    }
    stories.retain(|story| filter(&story.name));
    let text = match args.format {
        HistoryFormat::Json => {
            let document = json!({ "version": history::VERSION, "tests": stories });
            format!("{document:#}\n")
        }
        HistoryFormat::Table if stories.is_empty() => String::new(),
        HistoryFormat::Table => rows(&stories),
    };
    let mut out = Output::new();
    let _ = out.lines(|lines| lines.extend(text.bytes()))?;
    let _ = out.flush()?;
    Ok(0)
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

/// In the host's time zone, as the names of results are.
fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
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
