//! `results.html`: one page with everything, which needs nothing else to be looked at.

mod details;
mod embed;
mod links;
mod page;
mod params;

use std::io;

use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use links::Links;

use super::story::Places;
use super::text::for_terminal;
use super::whole::{TestRecord, Whole};
use details::Details;
use embed::{Embedder, base64};
use page::Page;
use params::Params;

const PAGE: &str = include_str!("templates/results.html");
const STYLE: &str = include_str!("templates/results.css");
const SCRIPT: &str = include_str!("templates/results.js");

/// What of a test is read when somebody opens it.
#[derive(Serialize)]
struct Block {
    number: u32,
    json: String,
}

/// The run as one HTML page.
///
/// What belongs to one test lies in the page as JSON, and is read when that test is opened, so
/// that a page of thousands opens at once. The page may run its own script and use its own style,
/// and nothing else: its policy names both by their digests, and forbids every request.
///
/// Logs and screens of tests that failed come first: see [`embed`] for how much is taken in.
pub(super) fn html(whole: &Whole, links: Links) -> io::Result<String> {
    let places = Places { results: whole.results(), sources: whole.sources() };
    let (mut params, mut embedder) = (Params::default(), Embedder::new(places.results, links));
    // What failed is what people open: its logs get the room first.
    let mut tests: Vec<&TestRecord> = whole.tests().collect();
    tests.sort_by_key(|test| !(test.last.is_failure() || test.last.finished.is_none()));
    let mut blocks = Vec::with_capacity(tests.len());
    for test in tests {
        let details = Details::of(test, places, &mut params, &mut embedder);
        blocks.push(Block { number: test.last.started.test, json: json(&details)? });
    }
    blocks.sort_by_key(|block| block.number);
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let page = Page::of(whole);
    environment
        .render_str(
            PAGE,
            context! {
                blocks => blocks,
                params => json(&params.entries())?,
                policy => policy(),
                style => STYLE,
                script => SCRIPT,
                limits => embed::limits(),
                ..minijinja::Value::from_serialize(&page)
            },
        )
        .map_err(io::Error::other)
}

/// What the page may do: see [`html`].
fn policy() -> String {
    let digest = |text: &str| format!("'sha256-{}'", base64(&Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data: file: 'self'; \
         media-src file: 'self'; base-uri 'none'; form-action 'none'",
        digest(SCRIPT),
        digest(STYLE),
    )
}

/// JSON that may stand in a `script` element, without anything that steers a terminal or turns
/// the direction of writing, were it ever shown.
fn json(value: &impl Serialize) -> io::Result<String> {
    let mut value = serde_json::to_value(value)?;
    clean(&mut value);
    // Only this character can end the element, or change how it is read.
    Ok(value.to_string().replace('<', "\\u003c"))
}

fn clean(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = for_terminal(text),
        serde_json::Value::Array(values) => values.iter_mut().for_each(clean),
        serde_json::Value::Object(values) => {
            let entries = std::mem::take(values).into_iter();
            *values = entries
                .map(|(key, mut value)| {
                    clean(&mut value);
                    (for_terminal(&key), value)
                })
                .collect();
        }
        _ => {}
    }
}
