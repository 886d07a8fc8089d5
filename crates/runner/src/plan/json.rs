//! A variant as a line of JSON.

use kvmtest_cartesian::Variant;

/// Appends `{"i":…,"name":…,"shortname":…,"dep":[…],"params":{…}}` and a line end to `line`:
/// number `i` of a list, counted from 1. The params are every key of the variant in its own
/// order, and, as objects, the parts of its name by the files that they come from.
pub fn json_line(variant: &Variant, i: usize, line: &mut Vec<u8>) {
    line.extend_from_slice(b"{\"i\":");
    line.extend_from_slice(i.to_string().as_bytes());
    line.extend_from_slice(b",\"name\":");
    string(variant.name(), line);
    line.extend_from_slice(b",\"shortname\":");
    string(variant.shortname(), line);
    line.extend_from_slice(b",\"dep\":[");
    separated(variant.deps(), line, |dep, line| string(dep, line));
    line.extend_from_slice(b"],\"params\":{");
    separated(variant.params(), line, |(key, value), line| entry(key, value, line));
    if variant.name_map().next().is_some() {
        if line.last() != Some(&b'{') {
            line.push(b',');
        }
        line.extend_from_slice(b"\"_name_map_file\":{");
        separated(variant.name_map(), line, |(file, name, _), line| entry(file, name, line));
        line.extend_from_slice(b"},\"_short_name_map_file\":{");
        separated(variant.name_map(), line, |(file, _, name), line| entry(file, name, line));
        line.push(b'}');
    }
    line.extend_from_slice(b"}}\n");
}

fn entry(key: &str, value: &str, line: &mut Vec<u8>) {
    string(key, line);
    line.push(b':');
    string(value, line);
}

fn separated<T>(
    items: impl IntoIterator<Item = T>,
    line: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            line.push(b',');
        }
        write(item, line);
    }
}

/// What may not stand in a string as it is: 0 for all that may.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        escapes[control] = b'u';
        control += 1;
    }
    escapes[b'\n' as usize] = b'n';
    escapes[b'\r' as usize] = b'r';
    escapes[b'\t' as usize] = b't';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes[0x7f] = b'u';
    escapes
};

fn string(text: &str, line: &mut Vec<u8>) {
    line.push(b'"');
    // Nearly no value has anything to escape, and this loop is one that the compiler makes wide.
    let escapes = text.bytes().fold(0, |any, byte| {
        let control = u8::from(byte < 0x20) | u8::from(byte == 0x7f);
        any | control | u8::from(byte == b'"') | u8::from(byte == b'\\')
    });
    if escapes != 0 {
        escaped(text, line);
    } else {
        line.extend_from_slice(text.as_bytes());
    }
    line.push(b'"');
}

fn escaped(text: &str, line: &mut Vec<u8>) {
    for byte in text.bytes() {
        match ESCAPES[byte as usize] {
            0 => line.push(byte),
            b'u' => line.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            escape => line.extend_from_slice(&[b'\\', escape]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kvmtest_cartesian::{NoInclude, Parser, Source};
    use serde_json::{Value, json};

    #[test]
    fn every_text_is_read_back_as_it_was() {
        for text in ["", "a", "\"", "\\", "a\"b\\c", "\n\r\t\0\u{1f}\u{7f}", "ü€🦀", "\u{2028}"]
        {
            let mut line = Vec::new();
            string(text, &mut line);
            let read: String = serde_json::from_slice(&line).expect("JSON");
            assert_eq!(read, text);
            assert!(line.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f), "{line:?}");
        }
    }

    #[track_caller]
    fn check(text: &str, expect: Value) {
        let mut parser = Parser::new();
        parser.parse(Source::new("a/b.cfg", text), &mut NoInclude);
        let (config, _) = parser.finish();
        let mut line = Vec::new();
        json_line(&config.variants().last().expect("a variant"), 7, &mut line);
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
        let read: Value = serde_json::from_slice(&line).expect("JSON");
        assert_eq!(read, expect, "{text}");
    }

    #[test]
    fn a_line_has_everything() {
        let empty = |params: Value| json!({"i": 7, "name": "", "shortname": "", "dep": [], "params": params});
        check("", empty(json!({})));
        check("x = 1\ny = \"a\"b\"\n", empty(json!({"x": "1", "y": "a\"b"})));
        let maps = json!({
            "_name_map_file": {"b.cfg": "(v=c).a"},
            "_short_name_map_file": {"b.cfg": "c.a"},
            "v": "c",
        });
        check(
            "variants:\n    - a:\nvariants v [default=c]:\n    - c: a, b\n",
            json!({"i": 7, "name": "(v=c).a", "shortname": "a", "dep": ["a", "b"], "params": maps}),
        );
        let maps =
            json!({"_name_map_file": {"b.cfg": "a"}, "_short_name_map_file": {"b.cfg": "a"}});
        check(
            "variants:\n    - a:\n",
            json!({"i": 7, "name": "a", "shortname": "a", "dep": [], "params": maps}),
        );
    }
}
