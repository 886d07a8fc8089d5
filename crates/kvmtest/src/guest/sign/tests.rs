//! What is a sign, and what only looks like one.

use super::*;
use crate::params::Params;

fn params(pairs: &[(&str, &str)]) -> Params {
    let mut params = Params::new();
    for (key, value) in pairs {
        params.set(*key, *value);
    }
    params
}

/// The names of the signs that `console` shows, its end included.
fn seen(params: &Params, console: &[u8], piece: usize) -> Vec<String> {
    let mut scanner = Scanner::new(Signs::of(params).expect("signs"));
    let mut found = Vec::new();
    let mut take = |_: &[u8], entry: Option<&Entry>| {
        found.extend(entry.map(|entry| entry.name.clone()));
    };
    for piece in console.chunks(piece) {
        scanner.feed(piece, &mut take);
    }
    scanner.finish(&mut take);
    found
}

#[test]
fn every_sign_has_lines_that_show_it() {
    for (line, name) in [
        ("[    1.085211] Kernel panic - not syncing: VFS: Unable to mount root fs", "panic"),
        ("Kernel panic - not syncing: Attempted to kill init!", "panic"),
        ("[    9.1] ---[ end Kernel panic - not syncing: Fatal exception ]---", ""),
        ("*** STOP: 0x0000007B (0xF78D2524)", "panic"),
        ("[   28.1] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [cat:214]", "soft_lockup"),
        ("[   28.1] NMI watchdog: BUG: soft lockup - CPU#0 stuck for 23s!", "soft_lockup"),
        ("[   28.1] BUG: soft lockup - CPU#0 stuck for 23s! [x:1]", "soft_lockup"),
        ("[   28.1] watchdog: Watchdog detected hard LOCKUP on cpu 3", "soft_lockup"),
        ("[    3.2] BUG: workqueue lockup - pool cpus=0", "soft_lockup"),
        ("[    4.512345] BUG: kernel NULL pointer dereference, address: 0000000000000000", "oops"),
        ("[    4.512345] BUG: unable to handle page fault for address: ffffffffffffffd8", "oops"),
        ("[    4.512345] Oops: 0002 [#1] PREEMPT SMP NOPTI", "oops"),
        ("[    4.512345][  T213] Oops: 0002 [#1] PREEMPT SMP NOPTI", "oops"),
        ("[    4.5] general protection fault, probably for non-canonical address 0x1", "oops"),
        ("[    4.5] Internal error: Oops: 96000004 [#1] SMP", "oops"),
        ("[    4.5] Unable to handle kernel paging request at virtual address 0", "oops"),
        ("[    4.5] kernel BUG at mm/slub.c:305!", "bug"),
        ("[    4.5] BUG: scheduling while atomic: swapper/0/0/0x00000002", "bug"),
        ("[   60.0] rcu: INFO: rcu_sched self-detected stall on CPU", "rcu_stall"),
        ("[   60.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "rcu_stall"),
        ("[   60.0] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks", "rcu_stall"),
        ("[   60.0] INFO: rcu_sched detected stalls on CPUs/tasks: { 1}", "rcu_stall"),
        ("[  242.6] INFO: task cat:214 blocked for more than 120 seconds.", "hung_task"),
        ("[  242.6] INFO: task cat:2 blocked in I/O wait for more than 120 seconds.", "hung_task"),
        ("[   12.3] cat invoked oom-killer: gfp_mask=0x140dca", "oom"),
        ("[   12.3] Out of memory: Killed process 99 (stress) total-vm:1kB", "oom"),
        ("No bootable device.", "no_boot"),
        ("BdsDxe: No bootable option or device was found.", "no_boot"),
        ("[FAILED] You are in emergency mode. After logging in, type", "no_boot"),
        // In the middle of what somebody types.
        ("root@kvmtest:~# [   12.345678] Oops: 0000 [#2] SMP", "oops"),
        // What somebody types, and what merely speaks of it.
        ("root@kvmtest:~# dmesg | grep -e 'BUG: ' -e 'Oops: '", ""),
        ("# echo Kernel panic - not syncing", ""),
        ("[    0.1] Oops handling is on", ""),
        ("[    0.1] rcu: Hierarchical RCU implementation.", ""),
        ("debug: 3", ""),
        ("DEBUG: BUGS", ""),
    ] {
        let expected: Vec<&str> = if name.is_empty() { vec![] } else { vec![name] };
        let text = [line.as_bytes(), b"\n"].concat();
        assert_eq!(seen(&Params::new(), &text, 1000), expected, "{line}");
    }
}

#[test]
fn pieces_escapes_and_other_bytes_hide_nothing() {
    let console =
        b"\xff\xfe\x1b[2J\x1b[31mx\r\n[    1.0] \x1b[1mKernel panic\x1b[0m - not syncing: \xff\r\n";
    for piece in [1, 2, 7, 1000] {
        assert_eq!(seen(&Params::new(), console, piece), ["panic"], "pieces of {piece}");
    }
    // A line without end before it.
    let mut console = vec![b'A'; 100_000];
    console.extend_from_slice(b"[    1.0] Kernel panic - not syncing: x");
    for piece in [61, 4096, 200_000] {
        assert_eq!(seen(&Params::new(), &console, piece), ["panic"], "pieces of {piece}");
    }
}

#[test]
fn half_a_line_waits_for_its_rest() {
    let mut scanner = Scanner::new(Signs::of(&Params::new()).expect("signs"));
    let mut lines = Vec::new();
    let mut feed = |bytes: &[u8]| {
        scanner.feed(bytes, |line, entry| {
            lines.push((readable(line), entry.is_some()));
        });
    };
    feed(b"[    1.0] Kernel panic - not sync");
    feed(b"ing: VF");
    feed(b"S\n---\n");
    let expected = [("[    1.0] Kernel panic - not syncing: VFS".to_owned(), true)];
    assert_eq!(lines[..1], expected);
    assert_eq!(lines[1], ("---".to_owned(), false));
}

#[test]
fn params_say_what_is_done() {
    let oops = b"[    1.0] Oops: 0000 [#1] SMP\nmine: 7\n";
    let check = |pairs: &[(&str, &str)], expected: &[&str]| {
        assert_eq!(seen(&params(pairs), oops, 1000), expected, "{pairs:?}");
    };
    check(&[], &["oops"]);
    check(&[("watch_action_oops", "ignore")], &[]);
    check(&[("watch_action", "ignore")], &[]);
    check(&[("watch_action", "ignore"), ("watch_action_oops", "warn")], &["oops"]);
    check(&[("watch_patterns", "own"), ("watch_pattern_own", r"^mine: \d")], &["oops", "own"]);
    check(&[("watch_pattern_oops", "^mine")], &["oops"]);
    let warn = params(&[("watch_action_oops", "warn")]);
    let signs = Signs::of(&warn).expect("signs");
    assert_eq!(signs.find(b"Oops: 1").map(|entry| entry.action), Some(Action::Warn));
    let of_vm2 = params(&[("watch_action_oops_vm2", "ignore")]);
    assert!(Signs::of_vm(&of_vm2, "vm2").expect("signs").find(b"Oops: 1").is_none());
    assert!(Signs::of_vm(&of_vm2, "vm1").expect("signs").find(b"Oops: 1").is_some());
}

#[test]
fn params_that_cannot_be_understood_are_named() {
    let check = |pairs: &[(&str, &str)], parts: &[&str]| {
        let error = Signs::of(&params(pairs)).expect_err("wrong").to_string();
        for part in parts {
            assert!(error.contains(part), "{error} lacks {part}");
        }
    };
    check(&[("watch_action_oops", "explode")], &["watch_action_oops", "explode", "ignore"]);
    check(&[("watch_action", "explode")], &["watch_action"]);
    check(&[("watch_patterns", "own")], &["watch_pattern_own"]);
    check(&[("watch_patterns", "oops")], &["watch_patterns", "oops"]);
    let open = [("watch_patterns", "a b"), ("watch_pattern_a", "x"), ("watch_pattern_b", "(")];
    check(&open, &["watch_pattern_b", "no regular expression", "unclosed group"]);
    let large = [("watch_patterns", "own"), ("watch_pattern_own", "(x{1000}){1000}")];
    check(&large, &["watch_pattern", "no regular expression"]);
}

#[test]
fn every_expression_of_the_table_can_be_compiled_and_has_words() {
    for sign in SIGNS {
        if let Source::Console(pattern, words) = sign.source {
            assert!(!words.is_empty(), "{}", sign.name);
            regex::bytes::Regex::new(&pattern.replace("KERNEL", "^")).expect(sign.name);
        }
    }
}
