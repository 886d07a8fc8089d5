//! Machines that become several.

use kvmtest::session::Session;

use crate::Test;
use crate::machine::{Machine, PATIENCE};
use crate::place::Place;

pub(crate) const TESTS: &[Test] = &[
    ("twins::three_of_one_share_nothing_that_they_write", isolated),
    ("twins::of_memory_that_can_be_shared_from_the_beginning", forkable),
    ("twins::of_memory_that_cannot_be_shared", unshared),
    ("twins::whoever_kills_one_does_not_harm_the_other", one_dies),
];

fn isolated(place: &Place) {
    let machine = Machine::start(place);
    let forked = check_isolation(machine);
    assert!(forked.shares && forked.moved, "{forked:?}");
}

fn forkable(place: &Place) {
    let machine = Machine::with(place, &[("vm_forkable", "yes")]);
    let forked = check_isolation(machine);
    assert!(forked.shares && !forked.moved, "{forked:?}");
}

fn unshared(place: &Place) {
    let mut machine = Machine::boot(place, &[("mem_prealloc", "yes")]);
    machine.answers();
    let forked = check_isolation(machine);
    assert!(!forked.shares && !forked.moved, "{forked:?}");
}

fn one_dies(place: &Place) {
    let mut machine = Machine::start(place);
    let twin = machine.vm.fork("twin").expect("forked");
    machine.vm.kill().expect("killed");
    let mut session = twin.wait_for_login(PATIENCE).expect("logged in");
    let all =
        "find /etc /bin -type f | xargs cat | wc -c; dd if=/dev/vda of=/dev/null bs=1M count=16";
    session.cmd_timeout(all, PATIENCE).expect("it has all of its memory and disk");
    machine.session.cmd("true").expect_err("it is dead");
    machine.vm.destroy(false).expect("ended");
    session.cmd_timeout(all, PATIENCE).expect("it has them still");
    // It is a machine like any other.
    let third = twin.fork("third").expect("forked");
    session.cmd("true").expect("it goes on");
    third.destroy(false).expect("ended");
    drop(session);
    twin.destroy(false).expect("ended");
    machine.end();
}

/// Three of one machine: each has what all had, and what it has written itself.
#[track_caller]
fn check_isolation(mut machine: Machine) -> kvmtest::vm::Forked {
    machine.wait_for_disk();
    let common = "common=all; echo all >/tmp/common; echo all >/data/common; \
                  head -c 300000 /dev/urandom >/data/large; sync";
    machine.session.cmd(common).expect("run");
    let (twins, forked) = machine.vm.fork_all(&["twin", "third"]).expect("forked");
    let mut sessions: Vec<Session> =
        twins.iter().map(|twin| twin.wait_for_login(PATIENCE).expect("logged in")).collect();
    sessions.insert(0, machine.session);
    // In all of them at once, before anybody reads.
    for (number, session) in sessions.iter_mut().enumerate() {
        let own = format!(
            "own={number}; echo {number} >/tmp/own; echo {number} >/data/own; \
             echo {number} >/data/own.$own; sed -i s/all/{number}/ /data/common; sync; \
             echo 3 >/proc/sys/vm/drop_caches"
        );
        session.cmd(&own).expect("run");
    }
    let mut sums = Vec::new();
    for (number, session) in sessions.iter_mut().enumerate() {
        let all = "echo $common $own $(cat /tmp/common /tmp/own /data/common /data/own) $(ls /data/own.*)";
        let expected = format!("all {number} all {number} {number} {number} /data/own.{number}");
        assert_eq!(session.cmd_timeout(all, PATIENCE).expect("run"), expected);
        sums.push(session.cmd("md5sum </data/large").expect("run"));
    }
    assert!(sums.windows(2).all(|pair| pair[0] == pair[1]), "{sums:?}");
    drop(sessions);
    for twin in twins {
        twin.destroy(false).expect("ended");
    }
    machine.vm.destroy(false).expect("ended");
    machine.env.tidy().expect("tidied");
    forked
}
