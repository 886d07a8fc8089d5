//! A story as a text for people.

use super::Explain;
use super::context::Context;
use super::elsewhere::Elsewhere;
use super::step::{Effect, Step, Substitution};
use super::story::Story;
use rustc_hash::FxHashSet;
use std::fmt;

/// How many statements of other variants are shown.
const NEAREST: usize = 3;

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} = {value}", self.key)?,
            None => write!(f, "{} has no value", self.key)?,
        }
        write!(f, "\n  in {}", self.variant)?;
        if let Some(place) = &self.place {
            write!(f, "\n  by {place}")?;
        }
        let width = self.width();
        let mut number = 0;
        for (at, story) in self.stories.iter().enumerate() {
            if self.stories.len() > 1 {
                let parts = self.stories.len();
                write!(f, "\n\npart {} of {parts}: {}", at + 1, story.variant)?;
            }
            for step in &story.steps {
                number += 1;
                let place = step.place.to_string();
                write!(f, "\n\n{number:>3}. {place:width$}  {}", step.statement)?;
                for line in lines(step) {
                    write!(f, "\n     {:width$}  {line}", "")?;
                }
            }
            if self.stories.len() > 1 {
                write!(f, "\n\n     {}", ending(story))?;
            }
        }
        if let Some(line) = self.joining() {
            write!(f, "\n\n{line}")?;
        }
        self.write_files(f)?;
        self.write_elsewhere(f)
    }
}

impl Explain {
    /// Of the column of places, in characters.
    fn width(&self) -> usize {
        let steps = self.stories.iter().flat_map(|story| &story.steps);
        steps.map(|step| step.place.to_string().chars().count()).max().unwrap_or(0)
    }

    /// What `join` made of its parts.
    fn joining(&self) -> Option<String> {
        if self.stories.len() < 2 {
            return None;
        }
        let key = &self.key;
        Some(match (self.from, &self.value) {
            (Some(from), Some(value)) => {
                let part = from + 1;
                let several = self.stories.iter().filter(|s| !s.result.is_empty()).count() > 1;
                let over = if several { ", where a later part overrides the earlier" } else { "" };
                format!("joined: {key} = {value}, of part {part}{over}")
            }
            (None, Some(value)) => format!("joined: {key} = {value}"),
            (_, None) => format!("joined: {key} has no value"),
        })
    }

    /// How the files that matter came in.
    fn write_files(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = FxHashSet::default();
        let steps = self.stories.iter().flat_map(|story| &story.steps);
        for context in steps.flat_map(|step| &step.context) {
            let Context::Include { path, place } = context else { continue };
            let begins = told.is_empty();
            if told.insert((place.file.as_ref(), place.line)) {
                f.write_str(if begins { "\n\n" } else { "\n" })?;
                write!(f, "{place} includes {path}")?;
            }
        }
        Ok(())
    }

    fn write_elsewhere(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.elsewhere.len();
        if count == 0 {
            return Ok(());
        }
        let noun = if count == 1 { "statement" } else { "statements" };
        let is_only = self.stories.iter().all(|story| story.steps.is_empty());
        let more = if is_only { "" } else { "more " };
        write!(f, "\n\n{count} {more}{noun} for it in other variants' blocks")?;
        f.write_str(if count > NEAREST { ", the nearest of them:" } else { ":" })?;
        let shown = || self.elsewhere.iter().take(NEAREST);
        let width = shown().map(|e| e.place.to_string().chars().count()).max().unwrap_or(0);
        for elsewhere in shown() {
            let place = elsewhere.place.to_string();
            write!(f, "\n     {place:width$}  {}  in {}", elsewhere.statement, owner(elsewhere))?;
        }
        Ok(())
    }
}

/// What is told below a statement.
fn lines(step: &Step) -> Vec<String> {
    let mut lines = Vec::new();
    let variants: Vec<_> = step.context.iter().filter_map(variant).collect();
    if !variants.is_empty() {
        lines.push(format!("in variant {}", variants.join(", ")));
    }
    lines.extend(step.context.iter().filter_map(condition));
    lines.extend(step.substitutions.iter().map(substitution));
    lines.push(effect(step));
    lines
}

fn variant(context: &Context) -> Option<String> {
    match context {
        Context::Variant { labels, place } => Some(format!("{labels} ({place})")),
        Context::Condition { .. } | Context::Include { .. } => None,
    }
}

fn condition(context: &Context) -> Option<String> {
    let Context::Condition { filter, place, holds } = context else { return None };
    Some(match holds {
        Some(true) => format!("under {filter}: which holds ({place})"),
        Some(false) => format!("under {filter}: which does not hold ({place})"),
        None => format!("under {filter}: ({place})"),
    })
}

fn substitution(substitution: &Substitution) -> String {
    let key = &substitution.key;
    match (&substitution.value, &substitution.place) {
        (Some(value), Some(place)) => format!("${{{key}}} is {} ({place})", shown(value)),
        (Some(value), None) => format!("${{{key}}} is {}", shown(value)),
        (None, _) => format!("${{{key}}} has no value: it stays as written"),
    }
}

fn effect(step: &Step) -> String {
    let none = || "no value".to_owned();
    let before = step.before.as_deref().map_or_else(none, shown);
    let after = step.after.as_deref().map_or_else(none, shown);
    let changes = format!("{before} → {after}");
    match &step.effect {
        Effect::Set | Effect::Append | Effect::Prepend | Effect::Delete => changes,
        Effect::Label | Effect::Dep => format!("adds {after}"),
        Effect::Suffix => format!("called {} from here on: {after}", step.key),
        Effect::Bound { limit } => format!("bound by {limit}: {changes}"),
        Effect::WithinBound { limit, value } => {
            format!("no effect: {before} is not bound by {limit} = {value}")
        }
        Effect::HasValue => format!("no effect: it has a value, {before}"),
        Effect::NoKey => "no effect: there is no such key here".to_owned(),
        Effect::NoRoom => "no effect: the values of the variant would be too long".to_owned(),
        Effect::Condition => "not applied".to_owned(),
        Effect::Hidden => "left out: the variant is a default".to_owned(),
    }
}

/// How a part ended.
fn ending(story: &Story) -> String {
    if story.result.is_empty() {
        return "it ends without a value".to_owned();
    }
    let results = story.result.iter().map(|(key, value)| format!("{key} = {value}"));
    format!("it ends with {}", results.collect::<Vec<_>>().join(", "))
}

/// The innermost blocks around a statement.
fn owner(elsewhere: &Elsewhere) -> String {
    let blocks = elsewhere.context.iter().filter_map(|context| match context {
        Context::Variant { labels, .. } => Some(labels.clone()),
        Context::Condition { filter, .. } => Some(format!("{filter}:")),
        Context::Include { .. } => None,
    });
    blocks.collect::<Vec<_>>().join(" ")
}

/// A value as it can be told from what stands around it.
fn shown(value: &str) -> String {
    let is_plain = !value.is_empty() && value.trim() == value;
    if is_plain { value.to_owned() } else { format!("{value:?}") }
}
