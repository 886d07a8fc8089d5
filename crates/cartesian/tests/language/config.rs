//! What can be asked of a configuration and of a variant.

use crate::{names, parse};
use kvmtest_cartesian::{Config, Variant};

#[test]
fn labels_and_values() {
    let config =
        parse("k = 1\nvariants os:\n  - a:\n    k = 2\n    k += 3\n  - b.a:\n    a: k = 1\n");
    assert_eq!(config.labels().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(config.assigned("k"), ["1", "2"]);
    assert_eq!(config.assigned("os"), ["a", "b.a"]);
    assert_eq!(config.assigned("none"), Vec::<&str>::new());
}

#[test]
fn places() {
    let config = parse("k = 1\nvariants os:\n  - a:\n    k = 2\n    k += 3\n  - b.a:\nj = ${k}\n");
    let places = |at: usize| -> Vec<(String, u32)> {
        let variant = config.variants().nth(at).expect("two variants");
        let place = |(key, _, place): (&str, _, Option<kvmtest_cartesian::Place>)| {
            (key.to_owned(), place.map_or(0, |place| place.line))
        };
        variant.iter().map(place).collect()
    };
    assert_eq!(places(0), [("k".to_owned(), 5), ("os".to_owned(), 3), ("j".to_owned(), 7)]);
    assert_eq!(places(1), [("k".to_owned(), 1), ("os".to_owned(), 6), ("j".to_owned(), 7)]);
}

#[test]
fn counting_and_skipping() {
    let config = parse("variants:\n  - a:\n  - b:\n  - c:\nno b\n");
    assert_eq!(config.variants().count(), 2);
    let nth = |at| config.variants().nth(at).map(|variant| variant.name().to_owned());
    assert_eq!((nth(0), nth(1), nth(2)), (Some("a".into()), Some("c".into()), None));
    let mut variants = config.variants();
    assert_eq!(variants.nth(1).expect("two variants").name(), "c");
    assert!(variants.next().is_none() && variants.next().is_none());
}

#[test]
fn the_example_of_the_readme() {
    let text = include_str!("../../README.md").split("```").nth(1).expect("it has an example");
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
