//! `include`: what the language makes of it. How paths are found is its caller's affair.

use kvmtest_cartesian::{Config, Parser, Source, Variant};

/// Parses the first of some files.
fn parse(files: &[(&str, &str)]) -> Config {
    let mut include = |path: &str, _from: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        file.map(|(name, text)| Source::new(*name, *text)).ok_or_else(|| "not there".to_owned())
    };
    let mut parser = Parser::new();
    parser.parse(Source::new(files[0].0, files[0].1), &mut include);
    let (config, diagnostics) = parser.finish();
    assert_eq!(diagnostics, []);
    config
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let config = parse(files);
    let written = |variant| format!("{}: {}", Variant::name(&variant), crate::keys(&variant));
    let found: Vec<_> = config.variants().map(written).collect();
    assert_eq!(found, expected);
}

#[test]
fn in_any_scope() {
    check(&[("one", "k = 1\ninclude two\nk += 3\n"), ("two", "k += 2")], &[": k=123"]);
    check(
        &[
            ("one", "variants:\n  - a:\n    include two\n  - b:\n"),
            ("two", "k = 1\nonly x\n"),
            ("x", ""),
        ],
        &["b: "],
    );
    check(
        &[
            ("one", "variants:\n  - a:\n  - b:\na:\n    include two\nb: include two\n"),
            ("two", "k = 1\n"),
        ],
        &["a: k=1", "b: k=1"],
    );
}

#[test]
fn blocks_go_on_around_it() {
    check(
        &[
            ("one", "variants:\n  - a:\ninclude two\nvariants:\n  - p:\n"),
            ("two", "variants:\n  - x:\n  - y:\n"),
        ],
        &["p.x.a: ", "p.y.a: "],
    );
    check(
        &[
            ("one", "variants:\n  - a:\n    include two\n    k = 1\n"),
            ("two", "variants:\n  - x:\n  - y:\n"),
        ],
        &["a.x: k=1", "a.y: k=1"],
    );
}

#[test]
fn its_indentation_is_its_own() {
    check(
        &[
            ("one", "variants:\n  - a:\n    include two\n    j = 2\n"),
            ("two", "          k = 1\n     i = 3\n"),
        ],
        &["a: k=1 i=3 j=2"],
    );
}

#[test]
fn twice() {
    check(&[("one", "k = 0\ninclude two\ninclude two\n"), ("two", "k += 1\n")], &[": k=011"]);
}

#[test]
fn who_asks_is_told() {
    let mut asked = Vec::new();
    let mut include = |path: &str, from: &str| {
        asked.push(format!("{from} wants {path}"));
        Ok(Source::new(
            format!("folder/{path}"),
            if path == "two" { "include ~/three x.cfg" } else { "" },
        ))
    };
    let mut parser = Parser::new();
    parser.parse(Source::new("folder/one", "include two\n"), &mut include);
    assert_eq!(parser.diagnostics(), []);
    assert_eq!(asked, ["folder/one wants two", "folder/two wants ~/three x.cfg"]);
}

#[test]
fn names_remember_their_files() {
    let config = parse(&[
        ("a/one.cfg", "variants:\n  - a:\ninclude b/two.cfg\nvariants os:\n  - p:\n"),
        ("b/two.cfg", "variants:\n  - @x:\n    variants:\n      - y.z:\n"),
    ]);
    let variant = config.variants().next().expect("one variant");
    assert_eq!(variant.name(), "(os=p).x.y.z.a");
    let map: Vec<_> = variant.name_map().collect();
    assert_eq!(map, [("one.cfg", "(os=p).a", "p.a"), ("two.cfg", "x.y.z", "x.y.z")]);
}
