//! Keys that the command line sets, and that nobody reads: slips, most likely.

use std::collections::HashSet;

use kvmtest::Params;
use kvmtest::vm::command::{KEYS, OLD_KEYS};
use kvmtest_cartesian::{Census, Diagnostic, nearest};

use super::config::Read;
use super::known::Known;

/// What this program and the subtests that ship read besides what makes a machine.
const OTHERS: &[&str] = &[
    "abort_on_error",
    "accel",
    "alive_test_cmd",
    "alone",
    "bounce_link_command",
    "busy_timeout",
    "can_hibernate_command",
    "can_suspend_command",
    "check_image",
    "clean_timeout",
    "create_image",
    "dest_host",
    "drift_threshold",
    "drift_threshold_single",
    "force_create_image",
    "get_time_command",
    "guest",
    "guest_use",
    "hibernate_command",
    "identity_file",
    "images_dir",
    "iterations",
    "job_timeout",
    "keep_screendumps",
    "kill_unresponsive_vms",
    "kill_vm",
    "kill_vm_gracefully",
    "kill_vm_timeout",
    "known_failures",
    "login_timeout",
    "main_monitor",
    "main_vm",
    "max_vms",
    "mig_cancel",
    "mig_cancel_delay",
    "mig_offline",
    "mig_timeout",
    "migration_bandwidth",
    "migration_bg_check_command",
    "migration_bg_command",
    "migration_bg_kill_command",
    "migration_capabilities",
    "migration_downtime",
    "migration_iterations",
    "migration_mode",
    "migration_parameters",
    "migration_protocol",
    "migration_test_command",
    "os_type",
    "password",
    "perturb",
    "perturb_rate",
    "perturb_reason",
    "perturb_stream",
    "perturb_with",
    "post_command",
    "post_command_noncritical",
    "post_command_timeout",
    "pre_command",
    "pre_command_noncritical",
    "pre_command_timeout",
    "prepare_timeout",
    "profiler_command",
    "profilers",
    "python_binary",
    "qemu_binary",
    "qemu_img_binary",
    "qemu_img_timeout",
    "reboot_command",
    "reboot_method",
    "remove_image",
    "renew_lease_command",
    "restart_vm",
    "savevm_delay",
    "screendump_delay",
    "set_mac_command",
    "set_seed_command",
    "set_time_command",
    "setup_hugepages",
    "shell_client",
    "shell_linesep",
    "shell_port",
    "shell_prompt",
    "shutdown_command",
    "shutdown_method",
    "shutdown_timeout",
    "skip",
    "slow_after",
    "stall_factor",
    "start_vm",
    "state_clock",
    "state_command",
    "state_from",
    "state_limit",
    "state_mac",
    "state_network",
    "state_params",
    "state_seed",
    "state_subtest",
    "state_timeout",
    "status_test_command",
    "stop_time",
    "subtest_dirs",
    "suspend_command",
    "suspend_timeout",
    "take_regular_screendumps",
    "test_memory",
    "test_timeout",
    "type",
    "unstable",
    "unstable_link",
    "unstable_reason",
    "used_cpus",
    "used_mem",
    "username",
    "vm_forkable",
    "vm_lease",
    "vm_lifetime",
    "vm_state",
    "vms",
    "watch",
    "watch_action",
    "watch_patterns",
];

/// What a test is called, and which sets it is in.
const OF_A_TEST: [&str; 4] = ["name", "shortname", "dep", "sets"];

/// What may follow any of these is a name that is no object's.
const BEGINNINGS: &[&str] = &[
    "watch_action_",
    "watch_pattern_",
    "profiler_command_",
    "state_command_",
    "state_from_",
    "state_params_",
    "state_subtest_",
];

/// Lists of objects.
const LISTS: &[&str] =
    &["vms", "images", "cdroms", "nics", "monitors", "serials", "redirs", "profilers"];

/// Objects that are there where no list names others.
const USUAL: &[&str] = &["vm1", "image1", "qmp1", "serial0"];

/// Warns of the keys that statements of the command line set and nobody is known to read: neither
/// the configuration has them, nor this program. A subtest may read any key; where there are
/// others than those that ship, only a key that is nearly another one is told.
pub(super) fn unread(read: &Read, subtests: &Known) -> Vec<Diagnostic> {
    let mut names = None;
    read.keys(|key, is_deleted| {
        // Where no key is set, no names are needed.
        let names = names.get_or_insert_with(|| Names::of(read.census()));
        if is_deleted { names.deleted(key) } else { names.set(key, subtests.are_of_several()) }
    })
}

/// The params of a test that are its own: those that neither say what it is called nor are read by
/// anything that ships, alone or with the names of objects at their ends.
pub(crate) fn own_params(params: &Params) -> Vec<(String, String)> {
    let mut known: HashSet<&str> = OTHERS.iter().copied().chain(OF_A_TEST).collect();
    known.extend(KEYS.iter().map(|key| key.name));
    known.extend(OLD_KEYS.iter().map(|(old, _)| *old));
    let mut objects: HashSet<&str> = USUAL.iter().copied().collect();
    let lists = params.iter().filter(|(key, _)| is_list(key));
    objects.extend(lists.flat_map(|(_, value)| value.split_whitespace()));
    let names = Names { configured: HashSet::new(), known, objects, any_object: false };
    let own = params.iter().filter(|(key, _)| !key.starts_with('_') && !names.is_known(key));
    let mut own: Vec<_> = own.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    own.sort();
    own
}

type Told = Option<(String, Option<String>)>;

/// Which keys are known.
struct Names<'a> {
    /// Those that the configuration sets or reads.
    configured: HashSet<&'a str>,
    /// Those and all others that anything reads.
    known: HashSet<&'a str>,
    objects: HashSet<&'a str>,
    /// Whether names of objects are made that stand nowhere.
    any_object: bool,
}

impl<'a> Names<'a> {
    fn of(census: Census<'a>) -> Self {
        let configured: HashSet<&str> = census.keys_outside(super::config::COMMAND_LINE).collect();
        let mut known = configured.clone();
        known.extend(OTHERS);
        known.extend(KEYS.iter().map(|key| key.name));
        known.extend(OLD_KEYS.iter().map(|(old, _)| *old));
        let mut objects: HashSet<&str> = USUAL.iter().copied().collect();
        let mut any_object = census.has_suffixes();
        for key in census.keys().filter(|key| is_list(key)) {
            for value in census.assigned(key) {
                any_object |= value.contains("${");
                objects.extend(value.split_whitespace());
            }
        }
        Self { configured, known, objects, any_object }
    }

    fn set(&self, key: &str, of_several: bool) -> Told {
        if self.is_known(key) {
            return None;
        }
        let help = match self.meant(key) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if of_several => return None,
            None => {
                "nothing that ships reads it, and the configuration does not have it".to_owned()
            }
        };
        Some((format!("no test reads `{key}`"), Some(help)))
    }

    fn deleted(&self, key: &str) -> Told {
        if self.configured.contains(key) {
            return None;
        }
        let near = nearest(key, self.configured.iter().copied(), 1);
        let help = near.first().map(|near| format!("did you mean `{near}`?"));
        Some((format!("the configuration does not set `{key}`: nothing is deleted"), help))
    }

    /// Whether it is a key, alone or with the names of objects at its end.
    fn is_known(&self, key: &str) -> bool {
        self.known.contains(key)
            || BEGINNINGS
                .iter()
                .any(|beginning| key.len() > beginning.len() && key.starts_with(beginning))
            || self.without_object(key).any(|(bare, _)| self.is_known(bare))
    }

    /// The key without what ends it, in each way in which that can be an object.
    fn without_object<'k>(&self, key: &'k str) -> impl Iterator<Item = (&'k str, &'k str)> {
        let splits = key.match_indices('_').map(|(at, _)| (&key[..at], &key[at + 1..]));
        splits.filter(|(bare, object)| {
            let is_object =
                self.any_object || self.objects.contains(object) || *object == "on_error";
            is_object && !bare.is_empty() && !object.is_empty()
        })
    }

    /// The key that is most like this one.
    fn meant(&self, key: &str) -> Option<String> {
        // First with the same objects, then with an object that is a slip.
        let bare = self
            .without_object(key)
            .find_map(|(bare, object)| self.meant(bare).map(|meant| format!("{meant}_{object}")));
        let object = || {
            let splits = key.match_indices('_').map(|(at, _)| (&key[..at], &key[at + 1..]));
            splits.filter(|(bare, _)| self.is_known(bare)).find_map(|(bare, object)| {
                let near = nearest(object, self.objects.iter().copied(), 1);
                near.first().map(|near| format!("{bare}_{near}"))
            })
        };
        let whole = || nearest(key, self.known.iter().copied(), 1).first().map(ToString::to_string);
        bare.or_else(object).or_else(whole)
    }
}

fn is_list(key: &str) -> bool {
    LISTS.iter().any(|list| {
        key.strip_prefix(list).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use camino::{Utf8Path, Utf8PathBuf};
    use kvmtest_cartesian::{NoInclude, Parser, Source};
    use regex::Regex;

    use super::*;

    const CONFIG: &str = "
vms = vm1 other
nics_other = n1
mine = ${theirs}
variants:
    - a:
        deep = 1
";

    /// What is told of a statement.
    fn told(config: &str, statement: &str) -> Option<String> {
        let mut parser = Parser::new();
        parser.parse(Source::new("x.cfg", config), &mut NoInclude);
        parser.statement(statement);
        let names = Names::of(parser.census());
        let told = parser.keys_in("<command line>", |key, is_deleted| {
            if is_deleted { names.deleted(key) } else { names.set(key, false) }
        });
        assert!(told.len() < 2, "{told:?}");
        let warning = told.first()?;
        assert!(!warning.is_error() && &*warning.file == "<command line>");
        Some(format!("{}: {}", warning.message, warning.help.clone().unwrap_or_default()))
    }

    #[test]
    fn a_test_has_params_of_its_own() {
        let own = |pairs: &[(&str, &str)]| own_params(&pairs.iter().copied().collect());
        let framework = [
            ("name", "small.foo"),
            ("type", "foo"),
            ("sets", "quick"),
            ("vms", "vm1 big"),
            ("images_big", "sys"),
            ("mem_big", "2G"),
            ("image_name_sys_big", "x"),
            ("kill_vm_on_error", "no"),
            ("state_subtest_db", "fill"),
            ("_name_map_file", "x"),
        ];
        assert_eq!(own(&framework), []);
        // What ends like a name of no machine is no key of one.
        let others = [("mem_of_rows", "3"), ("db_size", "20"), ("db_size_big", "1")];
        let mut expected = others.map(|(key, value)| (key.to_owned(), value.to_owned()));
        expected.sort();
        assert_eq!(own(&[&framework[..], &others].concat()), expected);
    }

    #[test]
    fn keys_that_somebody_reads_are_fine() {
        for statement in [
            "mem = 1",
            "mem_vm1 = 1",
            "mem_other = 1",
            "image_name_image1_vm1 = x",
            "nic_model_n1 = x",
            "nic_model_n1_other = x",
            "kill_vm_on_error = no",
            "kill_vm_vm1_on_error = no",
            "hugepages = yes",
            "deep = 2",
            "deep += 2",
            "theirs = 1",
            "mine_vm1 = 1",
            "type = boot",
            "watch_action_oops = warn",
            "watch_pattern_mine = x",
            "profiler_command_top = top",
            "migration_protocol = unix",
            "mig_cancel_vm1 = yes",
            "vm_state = with_nginx",
            "state_from_with_nginx = booted",
            "state_command_with_nginx = nginx",
            "state_subtest_with_nginx_vm1 = boot",
            "a: deep = 3",
            "me.* ?= 1",
            "del deep",
            "only a",
            "vms = third",
            "pre_command_timeout = 9",
        ] {
            assert_eq!(told(CONFIG, statement), None, "{statement}");
        }
        assert_eq!(
            told(CONFIG, "variants:\n    - x:\n        vms = third\n        mem_third = 9"),
            None
        );
        assert_eq!(told("suffix _x\nmem = 1\n", "mem_x = 1"), None);
        assert_eq!(told("vms = ${all}\n", "mem_anything = 1"), None);
    }

    #[test]
    fn a_slip_is_told_with_what_was_meant() {
        #[track_caller]
        fn check(statement: &str, expect: &str) {
            assert_eq!(told(CONFIG, statement).as_deref(), Some(expect), "{statement}");
        }
        check("memm = 1", "no test reads `memm`: did you mean `mem`?");
        check("a: memm = 1", "no test reads `memm`: did you mean `mem`?");
        check("memm += 1", "no test reads `memm`: did you mean `mem`?");
        check("memm_vm1 = 1", "no test reads `memm_vm1`: did you mean `mem_vm1`?");
        check("mem_otehr = 1", "no test reads `mem_otehr`: did you mean `mem_other`?");
        check(
            "image_nam_image1_vm1 = x",
            "no test reads `image_nam_image1_vm1`: did you mean `image_name_image1_vm1`?",
        );
        check(
            "kil_vm_on_error = x",
            "no test reads `kil_vm_on_error`: did you mean `kill_vm_on_error`?",
        );
        check("login_timout = 9", "no test reads `login_timout`: did you mean `login_timeout`?");
        check("deeep = 9", "no test reads `deeep`: did you mean `deep`?");
        check(
            "xyzzy_quux = 9",
            "no test reads `xyzzy_quux`: nothing that ships reads it, and the configuration does not have it",
        );
        check(
            "del deeep",
            "the configuration does not set `deeep`: nothing is deleted: did you mean `deep`?",
        );
        check("del mem", "the configuration does not set `mem`: nothing is deleted: ");
    }

    #[test]
    fn where_there_are_other_subtests_only_a_slip_is_told() {
        let parser = Parser::new();
        let names = Names::of(parser.census());
        assert!(
            names.set("xyzzy_quux", true).is_none() && names.set("xyzzy_quux", false).is_some()
        );
        assert!(names.set("memm", true).is_some());
    }

    /// Files below a folder of this tree.
    fn files(folder: &str, ending: &str) -> Vec<Utf8PathBuf> {
        let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
        let mut folders = vec![root];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir_utf8().expect("the tree") {
                let path = entry.expect("an entry").into_path();
                if path.is_dir() {
                    folders.extend((path.file_name() != Some("tests")).then_some(path));
                } else if path.extension() == Some(ending) && path.file_stem() != Some("tests") {
                    files.push(path);
                }
            }
        }
        assert!(!files.is_empty(), "{folder}");
        files
    }

    #[test]
    fn every_key_that_is_read_or_documented_is_known() {
        let parser = Parser::new();
        let names = Names::of(parser.census());
        let mut missing = BTreeSet::new();
        let getters = Regex::new(
            r#"\.(?:get_(?:bool|u64|i64|f64|duration|size|size_mib)(?:_or)?|get_or|find_nonempty|objects)\(\s*"([a-z_0-9]+)""#,
        )
        .expect("an expression");
        for folder in ["crates/kvmtest/src", "crates/runner/src", "subtests/rust/src"] {
            for file in files(folder, "rs") {
                let text = std::fs::read_to_string(&file).expect("readable");
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let keys = getters.captures_iter(code).map(|found| found[1].to_owned());
                missing.extend(keys.filter(|key| !names.is_known(key)));
            }
        }
        let key = Regex::new("`([a-z][a-z_0-9]+)`").expect("an expression");
        for file in files("docs/src", "md") {
            let text = std::fs::read_to_string(&file).expect("readable");
            let mut is_table = false;
            for line in text.lines() {
                is_table = line.starts_with('|') && (is_table || line.starts_with("| key |"));
                let cell = line.split('|').nth(1).filter(|_| is_table).unwrap_or_default();
                let keys = key.captures_iter(cell).map(|found| found[1].to_owned());
                missing.extend(keys.filter(|key| !names.is_known(key)));
            }
        }
        assert_eq!(missing, BTreeSet::new(), "add them to the table of keys");
    }
}
