//! Logins over the network, to servers of our own on this machine.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use super::LONG;
use crate::error::{Error, ErrorKind, Result};
use crate::session::tcp::wait_for_ssh;
use crate::session::{Client, LoginParams, Watch, login};

fn root(client: Client) -> LoginParams {
    LoginParams {
        client,
        username: Some("root".to_owned()),
        password: Some("secret".to_owned()),
        ..LoginParams::default()
    }
}

/// A server that handles one connection after the other, `count` of them, each by `handle`, which
/// is told which one it is. The port, and the thread.
fn server<F>(count: usize, handle: F) -> (u16, JoinHandle<()>)
where
    F: Fn(usize, TcpStream) + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let thread = std::thread::spawn(move || {
        for index in 0..count {
            handle(index, listener.accept().expect("somebody comes").0);
        }
    });
    (port, thread)
}

fn say(mut stream: &TcpStream, text: &str) {
    use std::io::Write;
    // Whoever refuses a login has hung up by then.
    let _ = stream.write_all(text.as_bytes());
}

/// A login by password, then one proof, as if by a shell.
fn guest(stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("read"));
    say(stream, "guest login: ");
    assert_eq!(lines.next().as_deref(), Some("root"));
    say(stream, "Password: ");
    if lines.next().as_deref() != Some("secret") {
        return say(stream, "\r\nLogin incorrect\r\nguest login: ");
    }
    say(stream, "\r\nPermission denied to all who are not permitted.\r\n# ");
    let proof = lines.next().expect("a line");
    let mark = proof.split(' ').nth(2).expect("a mark");
    say(stream, &format!("{mark}=0;\r\n# "));
}

#[test]
fn hanging_up_is_tried_again() {
    let (port, thread) = server(3, |index, stream| {
        if index == 2 {
            guest(&stream);
        }
    });
    login::remote("127.0.0.1", port, &root(Client::Nc), Vec::new(), None, LONG)
        .expect("in the end");
    thread.join().expect("no panic");
}

#[test]
fn a_wrong_password_is_not_tried_again() {
    let (port, thread) = server(1, |_, stream| guest(&stream));
    let params = LoginParams { password: Some("wrong".to_owned()), ..root(Client::Nc) };
    let error = login::remote("127.0.0.1", port, &params, Vec::new(), None, LONG);
    let error = error.err().expect("refused");
    assert_eq!(error.kind(), ErrorKind::LoginAuthentication);
    assert!(error.to_string().contains(&format!("logging in at 127.0.0.1 port {port}")), "{error}");
    thread.join().expect("no panic");
}

#[test]
fn a_refusal_before_the_end_is_a_refusal() {
    let (port, thread) = server(1, |_, stream| say(&stream, "root@g: Permission denied (x).\n"));
    let error = login::remote("127.0.0.1", port, &root(Client::Nc), Vec::new(), None, LONG);
    assert_eq!(error.err().expect("refused").kind(), ErrorKind::LoginAuthentication);
    thread.join().expect("no panic");
}

struct Alarm(UnixStream);

impl Watch for Alarm {
    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn check(&mut self) -> Result<()> {
        Err(Error::new(ErrorKind::VmDead, "QEMU is gone"))
    }
}

#[test]
fn a_watch_ends_the_tries() {
    for client in [Client::Nc, Client::Ssh] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let thread = std::thread::spawn(move || {
            // Hangs up, and the machine is gone.
            drop(listener.accept());
            drop(ours);
            drop(listener);
        });
        let watches: Vec<Box<dyn Watch>> = vec![Box::new(Alarm(theirs))];
        let begin = Instant::now();
        let error = login::remote("127.0.0.1", port, &root(client), watches, None, LONG);
        assert_eq!(error.err().expect("dead").kind(), ErrorKind::VmDead);
        assert!(begin.elapsed() < LONG / 2);
        thread.join().expect("no panic");
    }
}

#[test]
fn a_server_is_found_though_the_first_connections_are_never_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    // Nobody listens there now: refused until the deadline, which is no error.
    wait_for_ssh("127.0.0.1", port, &mut [], Duration::from_millis(50).into()).expect("no error");

    let (port, thread) = server(3, |index, stream| match index {
        2 => say(&stream, "SSH-2.0-fake\r\n"),
        _ => std::mem::forget(stream),
    });
    let begin = Instant::now();
    wait_for_ssh("127.0.0.1", port, &mut [], LONG.into()).expect("greeted");
    assert!(begin.elapsed() < LONG / 2);
    thread.join().expect("no panic");
}

/// The host's `sshd` for one connection after the other, without a port of its own.
#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn a_login_by_key_with_the_programs_of_the_host() {
    let sshd = Path::new("/usr/sbin/sshd");
    if !sshd.exists() || !rustix::process::geteuid().is_root() || !Path::new("/run/sshd").exists() {
        eprintln!("skipped: needs openssh-server, root, and /run/sshd");
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let dir = Utf8PathBuf::try_from(dir.path().to_owned()).map(|path| (dir, path));
    let (_keep, path) = dir.expect("UTF-8");
    for name in ["host", "user"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f", path.join(name).as_str()])
            .status();
        assert!(made.expect("part of the client").success());
    }
    std::fs::copy(path.join("user.pub"), path.join("authorized")).expect("copied");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path.join("authorized"), private).expect("set");
    let options = [
        format!("HostKey={path}/host"),
        format!("AuthorizedKeysFile={path}/authorized"),
        "StrictModes=no".to_owned(),
        "UsePAM=no".to_owned(),
        "PermitRootLogin=yes".to_owned(),
        "PasswordAuthentication=no".to_owned(),
        "KbdInteractiveAuthentication=no".to_owned(),
    ];
    // Never joined: how many connections are made to look for the server depends on its speed.
    let (port, _) = server(usize::MAX, move |_, stream| {
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.args(["-i", "-f", "/dev/null"]);
        for option in &options {
            sshd.args(["-o", option]);
        }
        let output = stream.try_clone().expect("a descriptor");
        sshd.stdin(Stdio::from(OwnedFd::from(stream))).stdout(Stdio::from(OwnedFd::from(output)));
        let mut child = sshd.stderr(Stdio::null()).spawn().expect("started");
        std::thread::spawn(move || child.wait());
    });
    let params =
        LoginParams { password: None, identity_file: Some(path.join("user")), ..root(Client::Ssh) };
    let mut session =
        login::remote("127.0.0.1", port, &params, Vec::new(), None, LONG).expect("logged in");
    assert_eq!(session.cmd("echo $TERM; id -un").expect("a shell"), "dumb\nroot");
    let long = "0123456789".repeat(500);
    assert_eq!(session.cmd(&format!("echo {long}")).expect("a shell"), long);
    assert_eq!(session.cmd("printf '~.\\n~.'").expect("no escape"), "~.\n~.");
    session.close();

    let stranger = LoginParams { identity_file: Some(path.join("host")), ..params };
    let error = login::remote("127.0.0.1", port, &stranger, Vec::new(), None, LONG);
    let error = error.err().expect("refused");
    assert_eq!(error.kind(), ErrorKind::LoginAuthentication, "{error}");
    assert!(error.to_string().contains("Permission denied (publickey)"), "{error}");
}
