//! The programs of the host that reach a guest, and their arguments.

use std::time::Duration;

use super::params::LoginParams;

/// What to reach a guest's shell with: the parameter `shell_client`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// The host's `ssh`.
    Ssh,
    /// The host's `telnet`.
    Telnet,
    /// A bare TCP connection, as `nc` makes it; no program is needed.
    Nc,
}

impl Client {
    /// The port at which its server usually is.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Ssh => 22,
            Self::Telnet => 23,
            Self::Nc => 10022,
        }
    }
}

/// The program and arguments that open a shell at `host` and `port`; none for [`Client::Nc`],
/// which needs no program. `connect_timeout` is told to the program, in whole seconds.
pub fn arguments(
    host: &str,
    port: u16,
    params: &LoginParams,
    connect_timeout: Duration,
) -> Option<Vec<String>> {
    match params.client {
        Client::Ssh => Some(ssh(host, port, params, connect_timeout)),
        Client::Telnet => Some(telnet(host, port, params)),
        Client::Nc => None,
    }
}

/// What makes a guest's `ssh` server one that is never remembered, never trusted with anything
/// of the user's, and never mixed up with another guest that had the same port before.
/// They hold for `scp` and `sftp` as well.
pub(super) fn ssh_options(params: &LoginParams, connect_timeout: Duration) -> Vec<String> {
    let seconds = connect_timeout.as_secs().clamp(1, 3600);
    let mut options = vec![
        "UserKnownHostsFile=/dev/null".to_owned(),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        "StrictHostKeyChecking=no".to_owned(),
        "LogLevel=ERROR".to_owned(),
        "ControlMaster=no".to_owned(),
        "ControlPath=none".to_owned(),
        "ForwardAgent=no".to_owned(),
        "ForwardX11=no".to_owned(),
        "IdentityAgent=none".to_owned(),
        "NumberOfPasswordPrompts=1".to_owned(),
        format!("ConnectTimeout={seconds}"),
    ];
    let mut ways = Vec::new();
    match &params.identity_file {
        Some(file) => {
            ways.push("publickey");
            options.push("IdentitiesOnly=yes".to_owned());
            // In quotes, as in the configuration file: a path may have blanks.
            options.push(format!("IdentityFile=\"{file}\""));
        }
        None => options.push("PubkeyAuthentication=no".to_owned()),
    }
    if params.password.is_some() || ways.is_empty() {
        ways.extend(["password", "keyboard-interactive"]);
    }
    options.push(format!("PreferredAuthentications={}", ways.join(",")));
    options.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect()
}

fn ssh(host: &str, port: u16, params: &LoginParams, connect_timeout: Duration) -> Vec<String> {
    let mut argv = vec!["ssh".to_owned()];
    argv.extend(ssh_options(params, connect_timeout));
    // A terminal whatever the configuration says, and no escape character: `~.` is text.
    argv.extend(["-tt", "-e", "none", "-p"].map(str::to_owned));
    argv.push(port.to_string());
    if let Some(username) = &params.username {
        argv.extend(["-l".to_owned(), username.clone()]);
    }
    argv.extend(["--".to_owned(), host.to_owned()]);
    argv
}

fn telnet(host: &str, port: u16, params: &LoginParams) -> Vec<String> {
    // `-E`: no escape character.
    let mut argv = vec!["telnet".to_owned(), "-E".to_owned()];
    if let Some(username) = &params.username {
        argv.extend(["-l".to_owned(), username.clone()]);
    }
    argv.extend([host.to_owned(), port.to_string()]);
    argv
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    fn root() -> LoginParams {
        LoginParams {
            username: Some("root".to_owned()),
            password: Some("secret".to_owned()),
            ..LoginParams::default()
        }
    }

    #[test]
    fn ssh_by_password() {
        let argv = arguments("127.0.0.1", 2222, &root(), TIMEOUT).expect("a program");
        insta::assert_snapshot!(argv.join(" ").replace(" -", "\n-"), @r"
        ssh
        -o UserKnownHostsFile=/dev/null
        -o GlobalKnownHostsFile=/dev/null
        -o StrictHostKeyChecking=no
        -o LogLevel=ERROR
        -o ControlMaster=no
        -o ControlPath=none
        -o ForwardAgent=no
        -o ForwardX11=no
        -o IdentityAgent=none
        -o NumberOfPasswordPrompts=1
        -o ConnectTimeout=5
        -o PubkeyAuthentication=no
        -o PreferredAuthentications=password,keyboard-interactive
        -tt
        -e none
        -p 2222
        -l root
        -- 127.0.0.1
        ");
        assert!(!argv.iter().any(|argument| argument.contains("secret")));
    }

    #[test]
    fn ssh_by_key() {
        let params =
            LoginParams { password: None, identity_file: Some("/a b/key".into()), ..root() };
        let argv = arguments("::1", 22, &params, TIMEOUT).expect("a program");
        let last = &argv[argv.len() - 15..];
        insta::assert_snapshot!(last.join(" ").replace(" -", "\n-"), @r#"
        -o IdentitiesOnly=yes
        -o IdentityFile="/a b/key"
        -o PreferredAuthentications=publickey
        -tt
        -e none
        -p 22
        -l root
        -- ::1
        "#);
    }

    #[test]
    fn telnet_and_nc() {
        let mut params = LoginParams { client: Client::Telnet, ..root() };
        let argv = arguments("10.0.0.2", 23, &params, TIMEOUT).expect("a program");
        assert_eq!(argv, ["telnet", "-E", "-l", "root", "10.0.0.2", "23"]);
        params.client = Client::Nc;
        assert_eq!(arguments("10.0.0.2", 23, &params, TIMEOUT), None);
    }
}
