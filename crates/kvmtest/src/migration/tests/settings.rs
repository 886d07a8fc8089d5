//! Names and values, by a QEMU of which everything is known.

use serde_json::{Value, json};

use super::*;
use crate::error::ErrorKind;
use crate::monitor::tests::scripted::{fake, say};

/// What QEMU is set to, and what it says.
fn set(settings: &Settings, refuses: &'static str) -> (crate::Result<Previous>, Vec<Value>) {
    let (tell, told) = std::sync::mpsc::channel();
    let monitor = fake(move |command, stream| {
        let name = command["execute"].as_str().unwrap_or_default();
        let answer = match name {
            "query-migrate-capabilities" => json!([
                {"capability": "multifd", "state": false},
                {"capability": "background-snapshot", "state": false},
                {"capability": "xbzrle", "state": true},
                {"capability": "events", "state": false}]),
            "query-migrate-parameters" => json!({
                "max-bandwidth": 7, "downtime-limit": 300, "multifd-channels": 2,
                "cpu-throttle-tailslow": false, "multifd-compression": "none"}),
            "query-qmp-schema" => json!([
                {"name": "migrate-set-parameters", "meta-type": "command", "arg-type": "1"},
                {"name": "1", "meta-type": "object", "members": [
                    {"name": "tls-creds", "type": "2"}, {"name": "x-delay", "type": "int"},
                    {"name": "mapping", "type": "[3]"}]},
                {"name": "2", "meta-type": "alternate"},
                {"name": "[3]", "meta-type": "array"},
                {"name": "int", "meta-type": "builtin", "json-type": "int"}]),
            _ => {
                let _ = tell.send(command["arguments"].clone());
                json!({})
            }
        };
        let mut message = json!({"return": answer, "id": command["id"]});
        if name == refuses {
            let error = json!({"class": "GenericError", "desc": "out of range"});
            message = json!({"error": error, "id": command["id"]});
        }
        say(stream, &message);
    })
    .expect("connects");
    let previous = settings.apply(&monitor);
    if let Ok(previous) = &previous {
        previous.restore(&monitor).expect("restored");
    }
    (previous, told.try_iter().collect())
}

fn capability(name: &str, on: bool) -> Settings {
    Settings { capabilities: vec![(name.to_owned(), on)], ..Settings::default() }
}

fn parameter(name: &str, value: impl Into<Value>) -> Settings {
    Settings { parameters: vec![(name.to_owned(), value.into())], ..Settings::default() }
}

#[test]
fn what_would_come_to_nothing_is_refused_before_anything_is_set() {
    let (refused, told) = set(&capability("background-snapshot", true), "");
    let error = refused.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Params);
    assert!(error.to_string().contains("`background-snapshot` cannot be used: "), "{error}");
    assert_eq!(told, [Value::Null; 0]);
    assert!(set(&capability("background-snapshot", false), "").0.is_ok(), "that is no harm");
}

#[test]
fn what_differs_is_set_and_set_back() {
    let of = |settings: &Settings| set(settings, "").1;
    let states = |list: &[(&str, bool)]| -> Value {
        let one = |(name, on): &(&str, bool)| json!({"capability": name, "state": on});
        json!({"capabilities": list.iter().map(one).collect::<Vec<_>>()})
    };
    let (on, off) = (states(&[("events", true)]), states(&[("events", false)]));
    assert_eq!(of(&Settings::default()), [on.clone(), off.clone()]);
    assert_eq!(of(&capability("xbzrle", true)), [on.clone(), off.clone()], "it is on");
    assert!(of(&capability("events", false)).is_empty(), "who does not want them");
    let both = [("events", true), ("multifd", true)];
    let back = [("events", false), ("multifd", false)];
    assert_eq!(of(&capability("multifd", true)), [states(&both), states(&back)]);
    let settings = Settings {
        bandwidth: Some(1 << 20),
        downtime: Some(Duration::from_millis(50)),
        ..parameter("multifd-channels", "4")
    };
    let new = json!({"max-bandwidth": 1 << 20, "downtime-limit": 50, "multifd-channels": 4});
    let old = json!({"max-bandwidth": 7, "downtime-limit": 300, "multifd-channels": 2});
    assert_eq!(of(&settings), [on, new, off, old]);
}

#[test]
fn a_value_is_read_as_what_the_parameter_takes() {
    let check = |name: &str, value: Value, expected: Value| {
        let (_, told) = set(&parameter(name, value), "");
        assert_eq!(told[1][name], expected, "{name}");
    };
    check("max-bandwidth", json!("32M"), json!(32 << 20));
    check("max-bandwidth", json!(5), json!(5));
    check("cpu-throttle-tailslow", json!("on"), json!(true));
    check("multifd-compression", json!("zlib"), json!("zlib"));
    check("tls-creds", json!(7), json!("7"));
    check("x-delay", json!("3"), json!(3));
    check("mapping", json!([1]), json!([1]));
}

#[test]
fn what_this_qemu_does_not_have_is_refused_before_anything_is_set() {
    let check = |settings: &Settings, words: &str| {
        let (refused, told) = set(settings, "");
        let error = refused.expect_err(words);
        assert_eq!(error.kind(), ErrorKind::Params);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(told, [Value::Null; 0]);
    };
    check(&capability("multifx", true), "capability `multifx`, did you mean `multifd`?");
    check(&capability("", true), "capability ``");
    check(&parameter("max-bandwith", 5), "parameter `max-bandwith`, did you mean `max-bandwidth`");
    check(&parameter("tls-cred", "x"), "did you mean `tls-creds`");
    check(&parameter("multifd-channels", "many"), "`multifd-channels` must be a number: `many`");
    check(&parameter("multifd-channels", true), "must be a number: `true`");
    check(&parameter("multifd-channels", -1), "must be 0 or more: `-1`");
    check(&parameter("cpu-throttle-tailslow", "maybe"), "must be `on` or `off`: `maybe`");
    check(&parameter("multifd-compression", json!([])), "must be text: `[]`");
}

#[test]
fn what_qemu_refuses_leaves_nothing_set() {
    let settings = Settings { bandwidth: Some(u64::MAX), ..capability("multifd", true) };
    let (refused, told) = set(&settings, "migrate-set-parameters");
    assert!(refused.expect_err("refused").to_string().contains("out of range"));
    assert_eq!(told.len(), 3, "capabilities, parameters, capabilities: {told:?}");
    assert_eq!(told[2]["capabilities"][1], json!({"capability": "multifd", "state": false}));
}
