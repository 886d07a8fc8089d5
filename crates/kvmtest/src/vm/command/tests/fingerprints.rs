//! When two VMs are the same machine.

use super::super::{Paths, Request, build};
use super::bed::{Binary, nowhere, params, small};

fn fingerprint(text: &str, paths: &Paths, seed: &str) -> String {
    let params = params(text);
    let small = small();
    let facts = Binary::usual();
    let request = Request {
        name: "vm1",
        params: &params,
        facts: &facts,
        accel: "tcg",
        guest: (params.find("guest") == Some("small")).then_some(&small),
        paths,
        seed,
    };
    build(&request).expect("a command line").fingerprint()
}

#[test]
fn an_instance_leaves_no_trace() {
    let text = "guest = small\nnics = a\nuuid = random\ntestdev = yes";
    let here = nowhere();
    let there = Paths { instance: "/run/x".into(), scratch: "/y".into(), ..nowhere() };
    assert_eq!(fingerprint(text, &here, "one"), fingerprint(text, &there, "two"));
}

#[test]
fn the_state_at_the_start_is_no_part_of_the_machine() {
    let paths = nowhere();
    assert_eq!(
        fingerprint("incoming = defer\nstart_paused = yes", &paths, ""),
        fingerprint("", &paths, "")
    );
}

#[test]
fn what_makes_another_machine_is_seen() {
    let paths = nowhere();
    let base = "guest = small\nnics = a";
    for change in [
        "mem = 1024",
        "smp = 2",
        "nic_model = e1000",
        "nic_mac = 52:54:00:00:00:01",
        "uuid = random",
        "image_name = other",
        "image_snapshot = yes\nimages = a\nimage_name = x",
        "kernel_params_extra = debug",
        "redirs = r\nguest_port = 22",
        "extra_params = -msg timestamp=on",
        "monitors = a b",
    ] {
        let changed = fingerprint(&format!("{base}\n{change}"), &paths, "");
        assert_ne!(changed, fingerprint(base, &paths, ""), "{change}");
    }
    let program = Paths { program: "/opt/qemu".into(), ..nowhere() };
    assert_ne!(fingerprint(base, &program, ""), fingerprint(base, &paths, ""));
}
