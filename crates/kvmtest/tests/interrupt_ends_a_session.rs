//! In a program of its own, since an interrupt ends every wait of its process.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use kvmtest::session::{LoginParams, Session, login};
use kvmtest::{ErrorKind, interrupt};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn an_interrupt_ends_every_wait_of_a_session() {
    let (ours, _theirs) = UnixStream::pair().expect("a pair");
    let mut console = Session::over_unix(ours, "console", None).expect("no log to open");
    let argv = ["sh", "-i"].map(str::to_owned);
    let mut shell = Session::spawn(&argv, "sh", None).expect("started");
    shell.cmd("true").expect("it works");

    let waiting = std::thread::spawn(move || shell.cmd("sleep 1000").expect_err("interrupted"));
    // Requested while the other thread waits, or just before: it makes no difference.
    interrupt::request();
    assert_eq!(waiting.join().expect("no panic").kind(), ErrorKind::Interrupted);

    let error = console.read_until_output_matches(&["never"], LONG).expect_err("interrupted");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let params = LoginParams::default();
    let error = login::serial(&mut console, &params, LONG).expect_err("interrupted");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let result = login::remote("127.0.0.1", 1, &params, Vec::new(), None, LONG);
    assert_eq!(result.err().expect("interrupted").kind(), ErrorKind::Interrupted);

    interrupt::clear();
    assert!(!console.is_responsive(Duration::from_millis(10)));
}
