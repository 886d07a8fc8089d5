//! The states in the cache, from outside: listed, removed, cleared up.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use camino::Utf8PathBuf;
use kvmtest_tests::{Running, Sandbox};
use serde_json::{Value, json};

/// A store with states that nobody had to boot a guest for.
struct States {
    sandbox: Sandbox,
    root: Utf8PathBuf,
}

impl States {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let root = sandbox.root.join("cache/kvmtest/states");
        std::fs::create_dir(&root).expect("made");
        Self { sandbox, root }
    }

    /// Lays a whole state there, of which `change` may make another one; gives back its digest.
    fn lay(&self, name: &str, change: impl FnOnce(&mut Value)) -> String {
        self.lay_recipe(name, &format!("made for: {name}\n"), change)
    }

    /// The same, of this recipe.
    fn lay_recipe(&self, name: &str, recipe: &str, change: impl FnOnce(&mut Value)) -> String {
        let version = 1_u32.to_le_bytes();
        let digest = sha256(&[&version, recipe.as_bytes()]);
        let directory = self.root.join(&digest);
        std::fs::create_dir(&directory).expect("made");
        let content = [b'x'; 4096];
        std::fs::write(directory.join("memory"), content).expect("written");
        let (length, at) = (4096_u64.to_le_bytes(), 0_u64.to_le_bytes());
        let mut manifest = json!({
            "version": 1,
            "name": name,
            "what": "small, 256 MiB",
            "recipe": recipe,
            "made": "2026-01-02T03:04:05Z",
            "boot": "an earlier one",
            "facts": {"mac": "52:54:00:00:00:01"},
            "files": [{
                "name": "memory",
                "length": 4096,
                "sha256": sha256(&[&length, &at, &content]),
                "modified": [0, 0],
                "inode": 0,
            }],
        });
        change(&mut manifest);
        std::fs::write(directory.join("state.json"), manifest.to_string()).expect("written");
        digest
    }

    /// Lets the state look as if it had been used so many hours ago.
    fn used(&self, digest: &str, hours: u64) {
        let path = self.root.join(digest).join("state.json");
        let file = std::fs::File::options().write(true).open(path).expect("opened");
        let then = SystemTime::now() - Duration::from_secs(3600 * hours);
        file.set_modified(then).expect("set");
    }

    fn json(&self) -> Value {
        let ended = self.sandbox.kvmtest(["state", "list", "--json"]);
        serde_json::from_str(&ended.code(0).is_clean().stdout).expect("JSON")
    }

    #[track_caller]
    fn are(&self, digests: &[&String]) {
        let mut left: Vec<String> = self.root.read_dir_utf8().expect("there").map(name).collect();
        let mut expected: Vec<String> = digests.iter().map(|digest| (*digest).clone()).collect();
        left.sort();
        expected.sort();
        assert_eq!(left, expected);
    }
}

fn name(entry: std::io::Result<camino::Utf8DirEntry>) -> String {
    entry.expect("listed").file_name().to_owned()
}

fn sha256(parts: &[&[u8]]) -> String {
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it is everywhere");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(&parts.concat()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("digits")[..64].to_owned()
}

#[test]
fn a_store_without_states() {
    let sandbox = Sandbox::new();
    sandbox.kvmtest(["state", "list"]).code(0).says(["there is no state"]);
    sandbox.kvmtest(["state", "gc"]).code(0).says(["nothing to clear up"]);
    let unknown = sandbox.kvmtest(["state", "rm", "booted"]);
    unknown.code(3).says(["no state is called `booted`", "`kvmtest state list`"]);
    let list = sandbox.kvmtest(["state", "list", "--json"]);
    let list: Value = serde_json::from_str(&list.code(0).stdout).expect("JSON");
    assert_eq!(list, json!({"version": 1, "bytes": 0, "states": []}));
}

#[test]
fn what_is_told_of_a_state() {
    let states = States::new();
    let digest = states.lay("booted", |_| {});
    let list = states.sandbox.kvmtest(["state", "list"]);
    list.code(0).is_clean().says(["NAME", "DIGEST", "booted", "small, 256 MiB"]);
    list.says([&digest[..12], "together "]).does_not_say(&digest[..13]).does_not_say("broken");
    let told = states.json();
    let state = &told["states"][0];
    assert_eq!(state["digest"], digest);
    assert_eq!(state["condition"], "whole");
    assert_eq!(state["facts"]["mac"], "52:54:00:00:00:01");
    assert_eq!(state["made"], "2026-01-02T03:04:05Z");
    assert_eq!(state["directory"], states.root.join(&digest).as_str());
    assert!(state["bytes"].as_u64().is_some_and(|bytes| bytes >= 4096), "{state}");
    assert_eq!(state["bytes"], told["bytes"]);
    assert!(state["why"].is_null() && state["used"].is_string());
}

#[test]
fn states_that_look_the_same_say_what_tells_them_apart() {
    let states = States::new();
    // What a real one's command line looks like.
    let lay = |build: &str, smp: u8, client: &str, hours: u64| {
        let recipe = format!(
            "qemu: 7.2.22 Debian 1:7.2+dfsg-7+deb12u18+b3 {{}}\naccel: tcg\ncommand line: \
             /usr/bin/qemu-system-x86_64\\n-smp cpus={smp}\\n-kernel \
             /var/cache/kvmtest/guests/small/{build}/kernel\n-kernel: {build}\n\
             shell_client: {client}\nstate: booted\n"
        );
        let digest = states.lay_recipe("booted", &recipe, |manifest| {
            manifest["what"] = json!("small, q35, 256 MiB");
        });
        states.used(&digest, hours);
        digest
    };
    let first = lay("6cb589ba7632d13b", 1, "serial", 1);
    let rebuilt = lay("1eac816c8043cba5", 1, "serial", 2);
    let larger = lay("6cb589ba7632d13b", 2, "serial ssh", 3);
    let ended = states.sandbox.kvmtest(["state", "list"]);
    let row = |digest: &str| {
        let row = ended.stdout.lines().find(|line| line.contains(&digest[..12]));
        row.unwrap_or_else(|| panic!("{digest}: {ended}"))
    };
    for digest in [&first, &rebuilt, &larger] {
        let row = row(digest);
        assert!(row.contains("small, q35, 256 MiB  7.2.22 tcg  "), "{row}");
        assert!(row.chars().count() <= 110, "{row}");
    }
    assert!(row(&first).ends_with(&first[..12]));
    assert!(row(&rebuilt).ends_with("  other guest build"), "{}", row(&rebuilt));
    assert!(row(&larger).ends_with("  other shell client, -smp"), "{}", row(&larger));
}

/// A state with this damage is listed with its reason, and cleared up whatever the limit.
#[track_caller]
fn broken(damage: impl FnOnce(&States, &str), condition: &str, why: &str) {
    let states = States::new();
    let digest = states.lay("booted", |_| {});
    damage(&states, &digest);
    states.sandbox.kvmtest(["state", "list"]).code(0).is_clean().says([&digest[..12], why]);
    let told = states.json();
    assert_eq!(told["states"][0]["condition"], condition);
    let cleared = states.sandbox.kvmtest(["state", "gc", "--limit", "1T"]);
    if condition == "broken" {
        cleared.code(0).is_clean().says(["removed: ", &digest[..12], why]);
        states.are(&[]);
    } else {
        cleared.code(0).says(["nothing to clear up"]);
        states.are(&[&digest]);
    }
}

#[test]
fn states_that_cannot_be_used() {
    let write = |file: &'static str, content: &'static [u8]| {
        move |states: &States, digest: &str| {
            std::fs::write(states.root.join(digest).join(file), content).expect("written");
        }
    };
    broken(write("memory", b"short"), "broken", "broken: `memory` has 5 bytes, not 4096");
    broken(write("memory", &[b'y'; 4096]), "broken", "`memory` does not hold what was saved");
    broken(write("state.json", b""), "broken", "is broken: EOF");
    broken(write("state.json", b"\x1b[2J{\"version\": 1"), "broken", "is broken: ");
    broken(write("state.json", b"{\"version\": 99}"), "foreign", "another version of kvmtest: 99");
    broken(
        |states, digest| {
            std::fs::remove_file(states.root.join(digest).join("memory")).expect("removed");
        },
        "broken",
        "`memory` is missing",
    );
}

#[test]
fn names_that_would_steer_a_terminal() {
    let states = States::new();
    let name = "\x1b[2J\nremoved: everything\u{9b}1m";
    let digest = states.lay("booted", |manifest| {
        manifest["name"] = json!(name);
        manifest["what"] = json!("\x07\r");
        manifest["files"][0]["name"] = json!("../\x1b[2J");
    });
    std::fs::write(states.root.join("\x1b[2J"), "a stranger's").expect("written");
    let list = states.sandbox.kvmtest(["state", "list"]);
    list.code(0).is_clean().says([&digest[..12], "[2J removed: everything", "broken: "]);
    let removed = states.sandbox.kvmtest(["state", "rm", name]);
    removed.code(0).is_clean().says(["removed: [2J removed: everything"]);
    let unknown = states.sandbox.kvmtest(["state", "rm", name]);
    unknown.code(3).is_clean().says(["no state is called"]);
    assert!(states.root.join("\x1b[2J").exists());
}

#[test]
fn states_are_removed_by_name_or_digest() {
    let states = States::new();
    let [first, second, third] =
        ["a", "b", "c"].map(|own| states.lay(own, |manifest| manifest["name"] = json!("booted")));
    let other = states.lay("other", |manifest| manifest["name"] = json!(first[..6]));
    let rm = |which: &[&str]| states.sandbox.kvmtest([&["state", "rm"], which].concat());
    rm(&[&first[..6]]).code(3).says(["is a name, and begins the digest", &first]);
    rm(&[&first[..3]]).code(3).says(["no state is called"]);
    states.are(&[&first, &second, &third, &other]);
    rm(&[&first[..12], &second]).code(0).says([&format!("removed: booted {}", &second[..12])]);
    states.are(&[&third, &other]);
    rm(&[&first[..6], "booted"]).code(0).says(["removed: booted"]);
    states.are(&[]);
    rm(&[]).code(2).says(["Usage: kvmtest state rm"]);
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let states = States::new();
    let all = ["a", "b", "c"].map(|name| states.lay(name, |_| {}));
    for (digest, hours) in all.iter().zip([2, 3, 1]) {
        states.used(digest, hours);
    }
    let listed = states.json();
    let order: Vec<&Value> = (0..3).map(|index| &listed["states"][index]["name"]).collect();
    assert_eq!(order, ["c", "a", "b"], "the last one used comes first");
    let bytes = listed["bytes"].as_u64().expect("a number");
    let gc = |limit: &str| states.sandbox.kvmtest(["state", "gc", "--limit", limit]);
    gc(&bytes.to_string()).code(0).says(["nothing to clear up"]);
    gc(&(bytes - 1).to_string()).code(0).says(["removed: b ", "not used for longest"]);
    states.are(&[&all[0], &all[2]]);
    gc("0").code(0).says(["removed: a ", "removed: c "]);
    states.are(&[]);
    for wrong in ["-1", "much", "", "10X"] {
        gc(wrong).code(2).says(["a size: bytes, or a number with"]);
    }
}

#[test]
fn what_was_never_completed_is_cleared_up_and_not_listed() {
    let states = States::new();
    let digest = states.lay("booted", |_| {});
    for left in [".new-0123456789ab", ".old-0123456789ab"] {
        let directory = states.root.join(format!("{digest}{left}"));
        std::fs::create_dir(&directory).expect("made");
        std::fs::write(directory.join("memory"), "half").expect("written");
    }
    std::fs::write(states.root.join(format!("{digest}.lock")), "").expect("written");
    assert_eq!(states.json()["states"].as_array().expect("a list").len(), 1);
    let cleared = states.sandbox.kvmtest(["state", "gc"]);
    cleared.code(0).says(["left by somebody who was killed"]);
    assert_eq!(cleared.stdout.lines().count(), 2, "{cleared}");
    states.are(&[&digest]);
}

#[test]
fn the_shell_is_offered_what_is_there() {
    let states = States::new();
    let digest = states.lay("booted", |_| {});
    states.lay("hostile", |manifest| manifest["name"] = json!("\x1b[2J"));
    let words = ["--", "kvmtest", "state", "rm", ""];
    let mut command = states.sandbox.command(words);
    command.env("COMPLETE", "bash").env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_INDEX", "3");
    let ended = Running::start(&mut command).end();
    ended.code(0).is_clean().says(["booted", &digest[..12]]);
}
