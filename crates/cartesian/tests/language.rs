//! The constructs of the language, each with a small table.

use kvmtest_cartesian::{Config, NoInclude, Parser, Source, Variant};

fn parse(text: &str) -> Config {
    read(Parser::new(), text)
}

fn read(mut parser: Parser, text: &str) -> Config {
    parser.parse(Source::new("folder/t.cfg", text), &mut NoInclude);
    let (config, diagnostics) = parser.finish();
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:#?}");
    config
}

/// The keys and values of the only variant, as `key=value` with blanks between.
#[track_caller]
fn check_keys(text: &str, expected: &str) {
    let config = parse(text);
    let variants: Vec<_> = config.variants().collect();
    assert_eq!(variants.len(), 1, "{text}");
    let pairs: Vec<_> = variants[0].params().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(pairs.join(" "), expected, "{text}");
}

/// Two blocks, `a b` and `x y`, then the statements: the names that are left.
#[track_caller]
fn check_names(statements: &str, expected: &str) {
    let text = format!("variants:\n  - a:\n  - b:\nvariants:\n  - x:\n  - y:\n{statements}");
    assert_eq!(names(&parse(&text)), expected, "{statements}");
}

fn names(config: &Config) -> String {
    let names: Vec<_> = config.variants().map(|variant| variant.name().to_owned()).collect();
    names.join(" ")
}

#[test]
fn assignments() {
    check_keys("k = 1\nk = 2\n", "k=2");
    check_keys("k = 1\nk += 2\nk <= 0\n", "k=012");
    check_keys("k += 1\nj <= 2\n", "k=1 j=2");
    check_keys("k ~= 1\nk ~= 2\n", "k=1");
    check_keys("k ?= 1\n", "");
    check_keys("abc = 1\nb ?= 2\nabc ?= 3\n", "abc=3");
    check_keys("ka = 1\nkb = 2\nk[ab] ?+= 3\nk(a|c) ?<= 0\n", "ka=013 kb=23");
    check_keys("abc = 1\nbcd = 2\na|b ?= 9\n", "abc=9 bcd=2");
    check_keys("k = 1\nj = 2\ndel k\ndel zz\nk = 3\n", "j=2 k=3");
    check_keys("k = a=b += c\n", "k=a=b += c");
    check_keys("k = a: b # no comment\n", "k=a: b # no comment");
    check_keys("only_k = 1\ndel_x = 2\ndelete = 3\na b = 4\n", "only_k=1 del_x=2 delete=3 a b=4");
    check_keys("k =\nj+=\n", "k= j=");
}

#[test]
fn quotes() {
    check_keys("k = \"a b\"\n", "k=a b");
    check_keys("k = ' a'\n", "k= a");
    check_keys("k = 'a\"\n", "k='a\"");
    check_keys("k = '\n", "k=");
    check_keys("k = ''a''\n", "k='a'");
    check_keys("k = \"${j}\"\n", "k=${j}");
}

#[test]
fn substitution() {
    check_keys("a = 1\nb = ${a}${a}\na = 2\n", "a=2 b=11");
    check_keys("b = ${a}\na = 1\n", "b=${a} a=1");
    check_keys("a = 1\nb = $a ${} ${a\n", "a=1 b=$a ${} ${a");
    // What follows the first unknown key stays as it is.
    check_keys("a = 1\nb = ${a}${c}${a}\n", "a=1 b=1${c}${a}");
    check_keys("a = 1\na += ${a}\n", "a=11");
    check_keys("a = ${b}\nb = 1\nc = ${a}\n", "a=${b} b=1 c=${b}");
    let config =
        parse("variants:\n  - @a:\n    k = ${name}|${shortname}|${dep}\nvariants:\n  - x: y\n");
    let variant = config.variants().next().expect("one variant");
    assert_eq!(variant.get("k"), Some("x.a|x|['y']"));
}

#[test]
fn bounds() {
    check_keys("m = 100\nm_max = 50\n", "m=50 m_max=50");
    check_keys("m = 10\nm_max = 50\n", "m=10 m_max=50");
    check_keys("m = 1\nm_min = 2\n", "m=2 m_min=2");
    check_keys("m = x\nm_fixed = 3\n", "m=3 m_fixed=3");
    check_keys("m_max = 3\n", "m_max=3 m=3");
    check_keys("m = 1G\nm_max = 500M\n", "m=500M m_max=500M");
    check_keys("m = 1024M\nm_max = 1G\n", "m=1024M m_max=1G");
    check_keys("m = some\nm_max = 3\n", "m=some m_max=3");
}

#[test]
fn filters() {
    check_names("only a\n", "x.a y.a");
    check_names("no a\n", "x.b y.b");
    check_names("only a..x, y..b\n", "x.a y.b");
    check_names("only a x\n", "x.a x.b y.a");
    check_names("only x.a\n", "x.a");
    check_names("only a.x\n", "");
    check_names("no q\n", "x.a x.b y.a y.b");
    check_names("only a\nonly x\n", "x.a");
    check_names("only a # b\n", "x.a y.a");
    check_names("a: no x\n", "x.b y.a y.b");
    check_names("!a: no x\n", "x.a y.a y.b");
    check_names("a:\n  x:\n    no x\n", "x.b y.a y.b");
    check_names("!a, x:\n  no b\n", "x.a x.b y.a");
}

#[test]
fn names_of_variants() {
    assert_eq!(names(&parse("k = 1\n")), "");
    assert_eq!(parse("k = 1\n").variants().count(), 1);
    let nested = "variants:\n  - a:\n    variants:\n      - p:\n      - q:\n    variants:\n      - m:\n  - b.c:\n";
    assert_eq!(names(&parse(nested)), "a.m.p a.m.q b.c");
    let named = "variants os:\n  - f.1:\n  - @u:\nvariants:\n  - x:\n";
    let config = parse(named);
    let variants: Vec<_> = config.variants().collect();
    assert_eq!(variants[0].name(), "x.(os=f).(os=1)");
    assert_eq!(variants[0].shortname(), "x.f.1");
    assert_eq!(variants[0].get("os"), Some("f.1"));
    assert_eq!((variants[1].name(), variants[1].shortname()), ("x.(os=u)", "x"));
    assert_eq!(variants[0].name_map().next(), Some(("t.cfg", "x.(os=f).(os=1)", "x.f.1")));
}

#[test]
fn named_variants() {
    let blocks = "variants os:\n  - f:\n  - u:\nvariants bus:\n  - u:\n  - v:\n";
    let left = |statement: &str| names(&parse(&format!("{blocks}{statement}")));
    assert_eq!(left("only (os=u)\n"), "(bus=u).(os=u) (bus=v).(os=u)");
    assert_eq!(left("only ( os = f )..(v)\n"), "(bus=v).(os=f)");
    assert_eq!(left("only u\n"), "(bus=u).(os=f) (bus=u).(os=u) (bus=v).(os=u)");
    assert_eq!(left("only (x=u)\n"), "");
    let config = parse(&format!("{blocks}(os=f): k = 1\n!(os=f), (bus=v):\n    k = 2\n"));
    let values: Vec<_> = config.variants().map(|v| v.get("k").map(str::to_owned)).collect();
    let expected = [Some("1"), Some("2"), Some("1"), None].map(|value| value.map(str::to_owned));
    assert_eq!(values, expected);
}

#[test]
fn order_of_assignments() {
    let text = "k = 0\nvariants:\n  - a:\n    k += 1\nk += 2\na: k += 3\nvariants:\n  - x:\n    k += 4\nk += 5\n";
    check_keys(text, "k=012345");
}

#[test]
fn dependencies() {
    let config = parse("variants:\n  - a:\n  - b: a, c.d e\nvariants:\n  - x: w\n");
    let variant = config.variants().nth(1).expect("two variants");
    assert_eq!(variant.deps(), ["w", "x.a", "x.c.d", "x.e"]);
}

#[test]
fn joins() {
    let text = "variants:\n  - a:\n    k = 1\n    suffix _a\n  - b:\n    k = 2\n    j = 3\n    suffix _b\n";
    check_keys(&format!("{text}join a b\n"), "k_a=1 k_b=2 j=3");
    check_keys(&format!("{text}join a b\nk = 7\n"), "k=7 k_a=1 k_b=2 j=3");
    assert_eq!(names(&parse(&format!("{text}join a b\n"))), "a.b");
    assert_eq!(names(&parse(&format!("{text}join a a\n"))), "a.a");
    assert_eq!(names(&parse(&format!("{text}join a q\n"))), "");
    let outer = format!("{text}variants:\n  - x:\n    join a b\n  - y:\n");
    assert_eq!(names(&parse(&outer)), "x.a.b y.a y.b");
}

#[test]
fn defaults() {
    let text = "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\n";
    let left = |expand: &[&str], more: &str| {
        names(&read(Parser::with_defaults(expand.iter().copied()), &format!("{text}{more}")))
    };
    assert_eq!(left(&[], ""), "(m=q).(n=b)");
    assert_eq!(left(&["n"], ""), "(m=q).(n=a) (m=q).(n=b)");
    assert_eq!(left(&["m"], ""), "(m=p).(n=b) (m=q).(n=b)");
    assert_eq!(left(&[], "only a\n"), "(m=q).(n=a)");
    assert_eq!(left(&[], "no b\nno q\n"), "(m=p).(n=a)");
    let shortnames: Vec<_> = parse(text).variants().map(|v| v.shortname().to_owned()).collect();
    assert_eq!(shortnames, ["p.a", "p", "a", ""]);
}

#[test]
fn what_a_configuration_tells() {
    let text = "k = 1\nvariants os:\n  - a:\n    k = 2\n    k += 3\n  - b.a:\n    a: k = 1\n";
    let config = parse(text);
    assert_eq!(config.labels().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(config.assigned("k"), ["1", "2"]);
    assert_eq!(config.assigned("os"), ["a", "b.a"]);
    assert_eq!(config.assigned("none"), Vec::<&str>::new());
    let variant = config.variants().next().expect("two variants");
    let places: Vec<_> =
        variant.iter().map(|(key, _, place)| (key, place.map(|p| p.line))).collect();
    assert_eq!(places, [("k", Some(5)), ("os", Some(3))]);
    assert_eq!((config.variants().count(), config.variants().nth(1).is_some()), (2, true));
    assert_eq!(variant.get("name"), None);
}

#[test]
fn the_example_of_the_readme() {
    let text = include_str!("../README.md").split("```").nth(1).expect("it has an example");
    let config = parse(text.strip_prefix("text").expect("a text block"));
    assert_eq!(names(&config), "(disk=ide).boot (disk=virtio).boot (disk=virtio).migrate");
    let extra = |variant: &Variant| variant.get("extra").is_some();
    assert_eq!(config.variants().map(|v| extra(&v)).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn crosses_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Config>();
    check::<Variant>();
}
