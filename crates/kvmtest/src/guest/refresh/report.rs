//! What a guest said to it.

use regex::bytes::Regex;

use super::step::Step;
use crate::guest::sign::readable;

/// What of `steps` failed, by the output of their line.
pub(super) fn failures(steps: &[Step], output: &[u8]) -> Vec<String> {
    let mut rest = output;
    let mut failures = Vec::new();
    for step in steps {
        let mark = Regex::new(&format!("(?-u)(?m){}=([0-9]{{1,3}})$", step.name.word()))
            .expect("made of letters");
        let Some(found) = mark.captures(rest) else {
            failures.extend(failure(step, None, rest));
            continue;
        };
        let status = std::str::from_utf8(&found[1]).ok().and_then(|digits| digits.parse().ok());
        let place = found.get(0).expect("group 0 is the whole match");
        failures.extend(failure(step, status, &rest[..place.start()]));
        rest = &rest[place.end()..];
    }
    failures
}

/// What is said of `step` if it did not end with status 0.
pub(super) fn failure(step: &Step, status: Option<i32>, output: &[u8]) -> Option<String> {
    let status = match status {
        Some(0) => return None,
        Some(status) => format!("ended with status {status}"),
        None => "was not heard of".to_owned(),
    };
    let words = match readable(&one_line(output)) {
        words if words.is_empty() => words,
        words => format!(": {words}"),
    };
    Some(format!("{} failed: `{}` {status}{words}", step.name, step.command))
}

fn one_line(output: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = output.split(|byte| *byte == b'\n').filter(|l| !l.is_empty()).collect();
    lines.join(&b"; "[..])
}
