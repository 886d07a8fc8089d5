//! What the language promises for every text.

use kvmtest_cartesian::{Config, Diagnostic, Parser, Source, Variant};

/// How many variants are looked at: there may be more than there are atoms.
const VARIANTS: usize = 12;
/// How many diagnostics are drawn, which takes longer than everything else.
const RENDERED: usize = 3;
/// How many values of a variant are explained.
const EXPLAINED: usize = 4;

/// Panics if the text breaks a promise.
pub(crate) fn check(text: &str) {
    let sources: Vec<_> = text.split("\n---\n").collect();
    let statement = sources[sources.len() - 1];
    let mut parser = parse(&sources, text.len() % 4 == 3);
    let mut clone = parser.clone();
    parser.statement(statement);
    let (config, diagnostics) = parser.finish();
    check_diagnostics(&sources, &diagnostics);
    check_variants(&sources, &config);
    clone.statement(statement);
    let (other, other_diagnostics) = clone.finish();
    assert_eq!(diagnostics, other_diagnostics, "a clone tells something else");
    assert_eq!(everything(&config), everything(&other), "a clone expands to something else");
}

const NAMES: [&str; 6] = ["one", "two", "three", "four", "five", "six"];
const STATEMENT: &str = "<command line>";

fn parse(sources: &[&str], defaults: bool) -> Parser {
    let mut parser = if defaults { Parser::with_defaults(["os"]) } else { Parser::new() };
    let mut include = |path: &str, _from: &str| {
        let text = NAMES.iter().position(|name| *name == path).and_then(|at| sources.get(at));
        text.map(|text| Source::new(path, *text)).ok_or_else(|| "no such text".to_owned())
    };
    parser.parse(Source::new(NAMES[0], sources[0]), &mut include);
    parser
}

/// How many lines there are in a source of this name.
fn lines(sources: &[&str], name: &str) -> usize {
    let at = match name {
        STATEMENT => Some(sources.len() - 1),
        name => NAMES.iter().position(|known| *known == name),
    };
    let text = at.and_then(|at| sources.get(at)).expect("a source that was handed in");
    text.replace("\r\n", "\n").split(['\r', '\n']).count()
}

fn check_diagnostics(sources: &[&str], diagnostics: &[Diagnostic]) {
    for (at, told) in diagnostics.iter().enumerate() {
        let line = told.line as usize;
        assert!((1..=lines(sources, &told.file)).contains(&line), "no such line: {told:?}");
        assert!(told.columns.start >= 1 && told.columns.start < told.columns.end, "{told:?}");
        assert!(told.excerpt.get(told.marked.clone()).is_some(), "{told:?}");
        assert!(!told.excerpt.contains(char::is_control), "{told:?}");
        let is_cut = told.excerpt.contains('…');
        let width = told.excerpt.chars().count();
        assert!(is_cut || told.columns.end as usize <= width + 2, "past the line: {told:?}");
        assert!(!told.message.is_empty() && !told.message.contains('\n'), "{told:?}");
        if at < RENDERED {
            assert!(!told.render(true).is_empty());
            assert!(told.render(false).contains(told.file.as_ref()), "{told:?}");
        }
    }
}

fn check_variants(sources: &[&str], config: &Config) {
    let variants: Vec<_> = config.variants().take(VARIANTS).collect();
    if let Some(last) = variants.len().checked_sub(1) {
        let nth = config.variants().nth(last).expect("there was one before");
        assert_eq!(all_of(&nth), all_of(&variants[last]));
    }
    for variant in &variants {
        check_variant(sources, variant);
    }
}

type All = (String, String, Vec<String>, Vec<(String, String)>);

fn everything(config: &Config) -> Vec<All> {
    config.variants().take(VARIANTS).map(|variant| all_of(&variant)).collect()
}

fn all_of(variant: &Variant) -> All {
    let params = variant.params().map(|(key, value)| (key.to_owned(), value.to_owned()));
    let (name, shortname) = (variant.name().to_owned(), variant.shortname().to_owned());
    (name, shortname, variant.deps().to_vec(), params.collect())
}

fn check_variant(sources: &[&str], variant: &Variant) {
    assert_eq!(variant.params().count(), variant.len());
    assert_eq!(variant.is_empty(), variant.params().next().is_none());
    for (key, value, place) in variant.iter() {
        assert_eq!(variant.get(key), Some(value), "the key {key:?} is there twice");
        let place = place.expect("every value comes from somewhere");
        assert!((1..=lines(sources, &place.file)).contains(&(place.line as usize)), "{place}");
    }
    for (key, value, place) in variant.iter().take(EXPLAINED) {
        let explain = variant.explain(key).expect("a key with a value has a story");
        assert_eq!((explain.value.as_deref(), &explain.place), (Some(value), &place), "{key:?}");
        assert!(!explain.to_string().is_empty());
    }
    for (file, name, shortname) in variant.name_map() {
        assert!(NAMES.contains(&file) || file == STATEMENT, "{file:?}");
        assert!(!name.is_empty() && !shortname.is_empty());
    }
}
