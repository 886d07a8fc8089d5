//! Deadlines on a host that has too much to do. The stall is a matter of the whole process, so
//! this test has one to itself.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use kvmtest::{Deadline, stall, wait};

#[test]
fn a_wait_lasts_longer_where_the_host_is_starved() {
    let keep = tempfile::tempdir().expect("a directory");
    let path = Utf8Path::from_path(keep.path()).expect("UTF-8").join("pressure");
    let pressure = |total: Duration| {
        let text = format!("some avg10=0.00 avg60=0.00 avg300=0.00 total={}\n", total.as_micros());
        std::fs::write(&path, text).expect("written");
    };
    let (silent, _other) = UnixStream::pair().expect("a pair");
    let timeout = Duration::from_millis(100);
    let nearly = |times: u32| (times * timeout).saturating_sub(Duration::from_millis(5));
    let wait = |deadline: Deadline| {
        let start = Instant::now();
        let ready = wait::readable([silent.as_fd()], deadline).expect("no error");
        assert_eq!(ready, [false]);
        start.elapsed()
    };

    pressure(Duration::ZERO);
    stall::read_from(&path);
    let calm = Deadline::after(timeout);
    wait(calm);
    assert_eq!(calm.put_off(), Duration::ZERO);

    let starved = Deadline::after(timeout);
    let none = Deadline::after(timeout).with_factor(1);
    pressure(Duration::from_secs(3600));
    assert!(wait(starved) >= nearly(4), "four times is the most");
    assert!(starved.put_off() >= nearly(3));
    assert!(none.expired());
    assert_eq!(none.put_off(), Duration::ZERO);

    let partly = Deadline::after(timeout);
    pressure(Duration::from_secs(3600) + timeout);
    assert!(wait(partly) >= nearly(2));
    assert_eq!(partly.put_off(), timeout);
}
