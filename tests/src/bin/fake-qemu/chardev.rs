//! The sockets that the command line names.

use std::os::unix::net::UnixListener;

/// One `-chardev socket`.
pub(crate) struct Chardev {
    /// Relative to the working directory.
    pub(crate) path: String,
    /// Where all that comes out is written, too.
    pub(crate) log: Option<String>,
}

impl Chardev {
    /// All of them, in their order.
    pub(crate) fn all(args: &[String]) -> Vec<Self> {
        let pairs = args.windows(2).filter(|pair| pair[0] == "-chardev");
        pairs.filter_map(|pair| Self::parse(&pair[1])).collect()
    }

    /// The command line calls the sockets of monitors so.
    pub(crate) fn is_monitor(&self) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, ending)| ending == "qmp")
    }

    pub(crate) fn listen(&self) -> UnixListener {
        UnixListener::bind(&self.path).expect("a socket")
    }

    /// A socket that accepts and stays silent.
    pub(crate) fn listen_and_ignore(&self) {
        std::mem::forget(self.listen());
    }

    fn parse(text: &str) -> Option<Self> {
        let options = text.strip_prefix("socket,")?;
        let value = |key: &str| {
            let of = |option: &str| Some(option.strip_prefix(key)?.strip_prefix('=')?.to_owned());
            options.split(',').find_map(of)
        };
        Some(Self { path: value("path")?, log: value("logfile") })
    }
}
