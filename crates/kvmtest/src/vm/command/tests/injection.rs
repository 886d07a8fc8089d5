//! Whatever a value holds, it stays a value.

use proptest::prelude::*;
use serde_json::Value;

use super::super::KEYS;
use super::bed::{line, params, values};
use crate::error::ErrorKind;

/// Text with what could end a value early, and no zero byte.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{1,40}", "[,=\"'\\\\ \n\t{}:./a]{1,20}", "\\PC{1,20}"]
        .prop_map(|text| text.replace('\0', ""))
        .prop_filter("not empty, and not a device", |text| {
            !text.is_empty() && !text.starts_with("/dev")
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn an_images_name_comes_back_as_it_was(name in text()) {
        let mut given = params("images = a\nimage_raw_device = yes");
        given.set("image_name", name.as_str());
        let line = line(&given).expect("any name will do");
        let plain = super::bed::line(&params("images = a\nimage_raw_device = yes\nimage_name = x"));
        prop_assert_eq!(line.args.len(), plain.expect("a plain one").args.len());
        let node: Value = serde_json::from_str(values(&line, "blockdev")[0]).expect("JSON");
        let want = camino::Utf8Path::new("/images").join(&name);
        prop_assert_eq!(node["file"]["filename"].as_str(), Some(want.as_str()));
        prop_assert_eq!(node.as_object().expect("an object").len(), 4);
    }

    #[test]
    fn a_name_of_an_object_starts_no_option(name in "[!-~]{1,30}") {
        let text = format!(
            "images = {name}\nimage_name = x\nnics = {name}\nmonitors = {name}\nserials = {name}"
        );
        prop_assume!(name != "harness");
        let line = line(&params(&text)).expect("any name will do");
        let plain = super::bed::line(&params(
            "images = a\nimage_name = x\nnics = a\nmonitors = a\nserials = a",
        ));
        let plain = plain.expect("a plain one");
        prop_assert_eq!(line.args.len(), plain.args.len());
        for (odd, plain) in line.args.iter().zip(&plain.args) {
            prop_assert_eq!(odd.matches(',').count(), plain.matches(',').count(), "{}", odd);
        }
    }

    #[test]
    fn a_comma_in_an_option_is_doubled(value in text()) {
        let mut given = params("nics = a\nnic_mode = tap");
        given.set("nic_script", value.as_str());
        let line = line(&given).expect("any script will do");
        prop_assert_eq!(read(values(&line, "netdev")[0], "script"), Some(value));
    }

    #[test]
    fn a_device_in_option_syntax_keeps_its_values(value in text()) {
        let mut given = params("images = a\nimage_name = x\ndrive_extra_params = rotation_rate=1");
        given.set("drive_serial", value.as_str());
        let line = line(&given).expect("any serial number will do");
        let disks: Vec<_> =
            values(&line, "device").into_iter().filter(|d| d.starts_with("ide-hd,")).collect();
        prop_assert_eq!(disks.len(), 1);
        prop_assert_eq!(read(disks[0], "serial"), Some(value));
        prop_assert_eq!(read(disks[0], "rotation_rate"), Some("1".to_owned()));
    }

    #[test]
    fn any_value_of_any_key_is_taken_or_refused_by_name(
        key in prop::sample::select(KEYS),
        value in prop_oneof![text(), "[0-9]{1,22}", "[a-z]{1,6}( [a-z]{1,6}){0,3}"],
    ) {
        let mut given = params(
            "guest = small\nimages = i\ncdroms = c\ncdrom = d.iso\nnics = n\nredirs = r\n\
             guest_port = 22\nmonitors = m",
        );
        given.set(key.name, value.as_str());
        if let Err(error) = line(&given) {
            prop_assert!(
                matches!(error.kind(), ErrorKind::Params | ErrorKind::Host),
                "{:?}", error
            );
            let text = error.to_string();
            prop_assert!(text.contains('`'), "{}", text);
        }
    }

    #[test]
    fn what_a_kernel_is_told_is_one_argument(value in text()) {
        let mut given = params("kernel = k");
        given.set("kernel_params", value.as_str());
        let line = line(&given).expect("anything will do");
        let want = value.trim();
        let found = line.args.iter().position(|arg| arg == "-append");
        prop_assert_eq!(found.is_some(), !want.is_empty());
        if let Some(at) = found {
            prop_assert_eq!(&*line.args[at + 1], want);
        }
    }
}

/// The value of `key` as QEMU reads its option syntax.
fn read(text: &str, key: &str) -> Option<String> {
    let mut fields = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ',' if chars.peek() == Some(&',') => {
                chars.next();
                fields.last_mut()?.push(',');
            }
            ',' => fields.push(String::new()),
            c => fields.last_mut()?.push(c),
        }
    }
    fields.iter().find_map(|field| field.strip_prefix(&format!("{key}=")).map(str::to_owned))
}
