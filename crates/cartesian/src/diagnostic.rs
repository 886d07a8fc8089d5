//! What is wrong with a text: where, what, and what would be right.

use crate::finding::Finding;
use crate::tree::source::{Sources, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, Title};
use rustc_hash::FxHashSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The text means something, but hardly what its author wants.
    Warning,
    /// The statement means nothing and was left out.
    Error,
}

/// One finding about one line of one source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the source.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The characters of the line that are meant, from 1; tabs count as the blanks they stand
    /// for. Never empty.
    pub columns: Range<u32>,
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// The line, or the part of a long line around `columns`, with control characters replaced.
    pub excerpt: String,
    /// The bytes of `excerpt` that are meant.
    pub marked: Range<usize>,
    /// Which kind of thing it is, where it comes from [`Config::lint`](crate::Config::lint).
    pub finding: Option<Finding>,
}

/// How much of a line is shown, in characters.
const WIDTH: usize = 160;

impl Diagnostic {
    /// `line_text` is the whole line, `bytes` what is meant in it (cut to the line if it isn't).
    fn new(
        severity: Severity,
        (file, line): (Arc<str>, u32),
        line_text: &str,
        bytes: Range<usize>,
        message: String,
        help: Option<String>,
    ) -> Self {
        let start = floor(line_text, bytes.start);
        let end = floor(line_text, bytes.end.max(start));
        let column = count(&line_text[..start]) + 1;
        let width = count(&line_text[start..end]).max(1);
        let (excerpt, marked) = excerpt(line_text, start, end);
        let columns = column..column + width;
        let finding = None;
        Self { severity, file, line, columns, message, help, excerpt, marked, finding }
    }

    /// About a piece of the sources.
    pub(crate) fn at(
        sources: &Sources,
        at: Span,
        severity: Severity,
        message: String,
        help: Option<String>,
    ) -> Self {
        let file = &sources.files[sources.file_at(at.start)];
        let (text, line_start) = file.line_text(at.start);
        let start = (at.start - file.base) as usize - line_start;
        let place = (file.name.clone(), file.line(at.start));
        Self::new(severity, place, text, start..start + at.len as usize, message, help)
    }

    /// The configuration must not be used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// For a terminal: the message, the source line with a caret, and the help, in several lines
    /// without a line end after the last one.
    pub fn render(&self, color: bool) -> String {
        Self::render_together(&[self], color)
    }

    /// Several that share a picture, as one: their messages, the line with all their marks, and
    /// what would be right, each only once. Nothing where there are none.
    pub fn render_together(all: &[&Self], color: bool) -> String {
        let mut different: Vec<&Self> = Vec::new();
        for one in all {
            let is_same =
                |known: &&Self| (known.finding, &known.message) == (one.finding, &one.message);
            if !different.iter().any(is_same) {
                different.push(one);
            }
        }
        let Some((last, others)) = different.split_last() else { return String::new() };
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for other in others {
            text.push_str(&renderer.render(&[Group::with_title(other.title())]));
            text.push('\n');
        }
        let snippet = Snippet::source(last.excerpt.as_str())
            .line_start(last.line as usize)
            .path(last.file.as_ref())
            .annotations(all.iter().map(|one| AnnotationKind::Primary.span(one.mark())));
        let mut helps: Vec<&str> = different.iter().filter_map(|one| one.help.as_deref()).collect();
        let mut told = FxHashSet::default();
        helps.retain(|help| told.insert(*help));
        let helps = helps.into_iter().map(|help| Level::HELP.message(help));
        text + &renderer.render(&[last.title().element(snippet).elements(helps)])
    }

    /// Whether both are of one line and show the same part of it.
    pub fn shares_picture(&self, other: &Self) -> bool {
        self.line == other.line && self.file == other.file && self.excerpt == other.excerpt
    }

    fn title(&self) -> Title<'_> {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(self.message.as_str());
        match self.finding {
            Some(finding) => title.id(finding.name()),
            None => title,
        }
    }

    /// A span past the end of the text makes the renderer panic, and fields are public.
    fn mark(&self) -> Range<usize> {
        let start = floor(&self.excerpt, self.marked.start);
        start..floor(&self.excerpt, self.marked.end.max(start))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.columns.start, self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

fn excerpt(line: &str, start: usize, end: usize) -> (String, Range<usize>) {
    let before = line[..start].char_indices().rev().nth(WIDTH / 2).map_or(0, |(at, _)| at);
    let mut shown = String::new();
    let mut marked = 0..0;
    if before > 0 {
        shown.push('…');
    }
    for (taken, (at, character)) in line[before..].char_indices().enumerate() {
        let at = before + at;
        if at == start {
            marked.start = shown.len();
        }
        if at == end {
            marked.end = shown.len();
        }
        if taken == WIDTH {
            shown.push('…');
            break;
        }
        shown.push(if is_harmless(character) { character } else { '\u{fffd}' });
    }
    if start >= line.len() {
        marked.start = shown.len();
    }
    if marked.end < marked.start || (end >= line.len() && marked.end == 0) {
        marked.end = shown.len();
    }
    (shown, marked)
}

/// Neither a control character nor one that turns the direction of writing around.
fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
