//! `-netdev`: what is behind a network interface.

use super::argument::Options;
use super::plan::{Object, Plan};
use super::read;
use super::uses::{NicUse, Protocol, RedirUse};
use crate::error::Result;
use crate::params::Params;

/// Linux's limit on the name of an interface, its closing zero not counted.
const LONGEST_IFNAME: usize = 15;

/// The kind of backend; `none` is an interface with nothing behind it.
pub(super) fn mode<'a>(plan: &Plan, params: &'a Params) -> Result<&'a str> {
    let mode = params.find_nonempty("nic_mode").unwrap_or("user").trim();
    if mode != "none" && !plan.request.facts.has_netdev(mode) {
        return Err(plan.lacks("network backend", mode, &plan.request.facts.netdevs()));
    }
    Ok(mode)
}

/// The host's interface that `nic_ifname` names.
pub(super) fn ifname(params: &Params) -> Result<Option<String>> {
    let Some(name) = params.find_nonempty("nic_ifname").map(str::trim) else { return Ok(None) };
    let fit = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | ':');
    if name.len() <= LONGEST_IFNAME && name.chars().all(fit) {
        return Ok(Some(name.to_owned()));
    }
    let what = "the name of a network interface, at most 15 characters without `/` and `:`";
    Err(params.wrong("nic_ifname", what))
}

/// The options of the backend of `nic`.
pub(super) fn options(
    plan: &Plan,
    object: &Object,
    nic: &NicUse,
    redirs: &[RedirUse],
) -> Result<String> {
    let params = &object.params;
    let start = Options::of(&nic.mode).maybe("id", nic.netdev.as_deref());
    let options = match &*nic.mode {
        "user" => user(plan, params, start, redirs.iter().filter(|redir| redir.nic == nic.name)),
        "tap" => tap(params, nic, start)?,
        "bridge" => start.maybe("br", params.find_nonempty("nic_bridge")),
        "socket" => socket(params, start)?,
        "stream" => stream(params, start)?,
        "dgram" => dgram(params, start)?,
        // For every other kind `netdev_extra_params` says all there is to say.
        _ => start,
    };
    Ok(options.verbatim(params.find_nonempty("netdev_extra_params")).finish())
}

fn user<'a>(
    plan: &Plan,
    params: &Params,
    mut options: Options,
    redirs: impl Iterator<Item = &'a RedirUse>,
) -> Options {
    let tftp = params.find_nonempty("tftp").map(|path| plan.request.paths.resolve(path));
    options = options
        .maybe("tftp", tftp.as_ref().map(|path| path.as_str()))
        .maybe("bootfile", params.find_nonempty("bootp"));
    for redir in redirs {
        let protocol = match redir.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        // Port 0: the kernel picks one that is free, and QEMU is asked for it afterwards.
        let rule = format!("{protocol}:127.0.0.1:0-:{}", redir.guest_port);
        options = options.with("hostfwd", &rule);
    }
    options
}

fn tap(params: &Params, nic: &NicUse, options: Options) -> Result<Options> {
    let vhost = read::flag_if_set(params, "nic_vhost")?.map(|on| if on { "on" } else { "off" });
    let queues = read::number(params, "nic_queues", 1, 256)?.filter(|queues| *queues > 1);
    Ok(options
        .maybe("ifname", nic.ifname.as_deref())
        .with("script", params.find_nonempty("nic_script").unwrap_or("no"))
        .with("downscript", params.find_nonempty("nic_downscript").unwrap_or("no"))
        .maybe("vhost", vhost)
        .maybe("queues", queues.map(|queues| queues.to_string()).as_deref()))
}

fn socket(params: &Params, options: Options) -> Result<Options> {
    let ways = [
        ("nic_listen", "listen"),
        ("nic_connect", "connect"),
        ("nic_mcast", "mcast"),
        ("nic_remote", "udp"),
    ];
    let (key, option) = only_one(params, ways)?;
    let value = params.get(key)?;
    Ok(options.with(option, value).maybe("localaddr", params.find_nonempty("nic_local")))
}

fn stream(params: &Params, options: Options) -> Result<Options> {
    let ways = [("nic_listen", "on"), ("nic_connect", "off")];
    let (key, server) = only_one(params, ways)?;
    address(params, key, "addr", options.with("server", server))
}

fn dgram(params: &Params, mut options: Options) -> Result<Options> {
    let ways = [("nic_mcast", "remote"), ("nic_remote", "remote")];
    let (key, option) = only_one(params, ways)?;
    options = address(params, key, option, options)?;
    if params.find_nonempty("nic_local").is_some() {
        options = address(params, "nic_local", "local", options)?;
    }
    Ok(options)
}

/// The one of `ways` that is set, a key and what it means.
fn only_one<const N: usize>(
    params: &Params,
    ways: [(&'static str, &'static str); N],
) -> Result<(&'static str, &'static str)> {
    let set: Vec<_> =
        ways.into_iter().filter(|(key, _)| params.find_nonempty(key).is_some()).collect();
    if let [one] = set[..] {
        return Ok(one);
    }
    let keys = ways.map(|(key, _)| format!("`{key}`")).join(", ");
    Err(params.wrong("nic_mode", &format!("accompanied by exactly one of {keys}")))
}

/// `unix:PATH` or `HOST:PORT`, as a socket address under `name`.
fn address(params: &Params, key: &str, name: &str, options: Options) -> Result<Options> {
    let text = params.get(key)?.trim();
    let key_of = |field: &str| format!("{name}.{field}");
    if let Some(path) = text.strip_prefix("unix:") {
        return Ok(options.with(&key_of("type"), "unix").with(&key_of("path"), path));
    }
    match text.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Ok(options
                .with(&key_of("type"), "inet")
                .with(&key_of("host"), host)
                .with(&key_of("port"), port))
        }
        _ => Err(params.wrong(key, "`HOST:PORT` or `unix:PATH`")),
    }
}
