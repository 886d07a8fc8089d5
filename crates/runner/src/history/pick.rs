//! Which stories a person means.

use std::collections::BTreeSet;

use kvmtest_cartesian::nearest;

use super::Story;
use crate::plan::{filter, label};

/// The stories of the tests that one of `filters` picks, by their full names or their whole short
/// ones; without any filter all. The error is a sentence: it names the words that pick nothing,
/// and what is most like them.
pub fn pick(stories: Vec<Story>, filters: &[String]) -> Result<Vec<Story>, String> {
    if filters.is_empty() {
        return Ok(stories);
    }
    let words: Vec<&str> = filters.iter().flat_map(|filter| filter::words(filter)).collect();
    let picks = |word: &str, story: &Story| {
        story.shortname == word || story.name == word || label::passes(&story.name, word)
    };
    let idle: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !stories.iter().any(|story| picks(word, story)))
        .collect();
    if idle.is_empty() {
        let mut picked = stories;
        picked.retain(|story| words.iter().any(|word| picks(word, story)));
        return Ok(picked);
    }
    let mut names: BTreeSet<&str> = stories.iter().map(|story| story.shortname.as_str()).collect();
    names.extend(stories.iter().flat_map(|story| filter::labels(&story.name)));
    let near: Vec<&str> =
        idle.iter().flat_map(|word| nearest(word, names.iter().copied(), 3)).collect();
    let hint = match near.as_slice() {
        [] => String::new(),
        near => format!("; did you mean `{}`?", near.join("`, `")),
    };
    let idle = idle.join("`, `");
    Err(format!(
        "no test that was ever run matches `{idle}`{hint} (`kvmtest history` shows all of them)"
    ))
}
