//! `kvmtest show --explain`: how a key came to its value.

use kvmtest::Result;
use kvmtest_cartesian::{Context, Effect, Elsewhere, Place, Step, Story, Substitution};
use kvmtest_runner::exit_code::{ALL_PASSED, NOTHING_MATCHED};
use kvmtest_runner::plan::{self, Explained, Selection};
use serde_json::{Value, json};

use std::sync::Arc;

use crate::args::{Show, TextOrJson};
use crate::output::{Objects, Output, Reader};
use crate::terminal::{clean, note};

/// An unknown key does not keep the others from being told.
pub(super) fn execute(args: &Show, selection: &Selection, wanted: &str) -> Result<u8> {
    let mut code = ALL_PASSED;
    let mut out = Output::new();
    let mut between = "";
    let mut objects = Objects::new(args.format == TextOrJson::Json);
    for key in &args.explain {
        let mut stories = plan::explain(selection, wanted, key).peekable();
        if stories.peek().is_none() {
            let _ = out.flush()?;
            note(format!("kvmtest: {}", plan::unexplained(selection, wanted, key)));
            code = NOTHING_MATCHED;
        }
        for explained in stories {
            let written = out.lines(|lines| match args.format {
                TextOrJson::Text => {
                    let story = clean(&explained.story.to_string());
                    lines.extend(format!("{between}{story}\n").bytes());
                }
                TextOrJson::Json | TextOrJson::Jsonl => {
                    objects.add(lines, |lines| lines.extend(data(&explained).to_string().bytes()));
                }
            });
            between = "\n";
            if written? == Reader::Gone {
                return Ok(code);
            }
        }
    }
    let _ = out.lines(|lines| objects.end(lines))?;
    let _ = out.flush()?;
    Ok(code)
}

fn data(explained: &Explained) -> Value {
    let story = &explained.story;
    json!({
        "shortname": explained.shortname,
        "name": story.variant,
        "key": story.key,
        "value": story.value,
        "place": story.place.as_ref().map(place),
        "parts": story.stories.iter().map(part).collect::<Vec<_>>(),
        "from": story.from,
        "elsewhere": story.elsewhere.iter().map(elsewhere).collect::<Vec<_>>(),
    })
}

fn part(story: &Story) -> Value {
    let result = |(key, value): &(String, Arc<str>)| json!({ "key": key, "value": value.as_ref() });
    json!({
        "name": story.variant,
        "steps": story.steps.iter().map(step).collect::<Vec<_>>(),
        "result": story.result.iter().map(result).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Value {
    json!({
        "place": place(&step.place),
        "statement": step.statement,
        "operator": step.operator,
        "key": step.key,
        "context": step.context.iter().map(context).collect::<Vec<_>>(),
        "substitutions": step.substitutions.iter().map(substitution).collect::<Vec<_>>(),
        "before": step.before.as_deref(),
        "after": step.after.as_deref(),
        "took": step.effect.took(),
        "effect": effect(&step.effect),
        "limit": match &step.effect {
            Effect::Bound { limit } | Effect::WithinBound { limit, .. } => Some(limit),
            _ => None,
        },
    })
}

fn effect(effect: &Effect) -> &'static str {
    match effect {
        Effect::Set => "set",
        Effect::Append => "append",
        Effect::Prepend => "prepend",
        Effect::Delete => "delete",
        Effect::Suffix => "suffix",
        Effect::Bound { .. } => "bound",
        Effect::WithinBound { .. } => "within bound",
        Effect::Label => "labels",
        Effect::Dep => "dependencies",
        Effect::HasValue => "has a value",
        Effect::NoKey => "no such key",
        Effect::NoRoom => "no room",
        Effect::Condition => "condition does not hold",
        Effect::Hidden => "left out of the short name",
    }
}

fn substitution(substitution: &Substitution) -> Value {
    json!({
        "key": substitution.key,
        "value": substitution.value,
        "place": substitution.place.as_ref().map(place),
    })
}

fn elsewhere(elsewhere: &Elsewhere) -> Value {
    json!({
        "place": place(&elsewhere.place),
        "statement": elsewhere.statement,
        "operator": elsewhere.operator,
        "context": elsewhere.context.iter().map(context).collect::<Vec<_>>(),
    })
}

fn context(context: &Context) -> Value {
    match context {
        Context::Variant { labels, place: at } => json!({ "variant": labels, "place": place(at) }),
        Context::Condition { filter, place: at, holds } => {
            json!({ "condition": filter, "place": place(at), "holds": holds })
        }
        Context::Include { path, place: at } => json!({ "include": path, "place": place(at) }),
    }
}

fn place(place: &Place) -> Value {
    json!({ "file": place.file.as_ref(), "line": place.line })
}
