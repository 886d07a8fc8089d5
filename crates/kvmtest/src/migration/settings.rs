//! How a migration is to be done.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::offer::{Capabilities, Parameters};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::monitor::QmpMonitor;
use crate::params::Params;

/// The keys that [`Settings::from_params`] reads.
pub const KEYS: &[&str] = &[
    "migration_bandwidth",
    "migration_downtime",
    "migration_capabilities",
    "migration_parameters",
    "mig_timeout",
];

/// With this capability the memory lies in a file where it lies in the machine.
pub(super) const MAPPED: &str = "mapped-ram";

/// Capabilities that take more than a migration, and why they come to nothing in one.
const UNFIT: &[(&str, &str)] = &[
    ("background-snapshot", "it is for saving a guest that runs on, which is not what this does"),
    ("pause-before-switchover", "it waits for somebody to say when the guest is to go over"),
    ("x-colo", "it keeps two machines alike for ever"),
];

/// How long a migration may take where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// How a migration is to be done. What is not said is as it is in QEMU.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Bytes a second that are sent at most. QEMU's own limit is 128 MiB/s; [`save`](super::save)
    /// has none.
    pub bandwidth: Option<u64>,
    /// How long the guest may stand still at the end; 300 ms in QEMU.
    pub downtime: Option<Duration>,
    /// Capabilities that are switched on or off: `multifd`.
    pub capabilities: Vec<(String, bool)>,
    /// Parameters: `multifd-channels`. A value may be text in any case, and is read as what the
    /// parameter takes; sizes may have QEMU's suffixes.
    pub parameters: Vec<(String, Value)>,
    /// How long it may take; one hour.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bandwidth: None,
            downtime: None,
            capabilities: Vec::new(),
            parameters: Vec::new(),
            timeout: TIMEOUT,
        }
    }
}

impl Settings {
    /// By `migration_bandwidth` (`32M`: a second), `migration_downtime` (`300ms`),
    /// `migration_capabilities` (`multifd -xbzrle`), `migration_parameters`
    /// (`multifd-channels=4 …`) and `mig_timeout` (`1h`).
    pub fn from_params(params: &Params) -> Result<Self> {
        let words = |key| params.get_or(key, "").split_ascii_whitespace();
        let capabilities = words("migration_capabilities").map(|word| {
            let (name, on) = word.strip_prefix('-').map_or((word, true), |name| (name, false));
            (!name.is_empty()).then(|| (name.to_owned(), on))
        });
        let capabilities = capabilities.collect::<Option<_>>().ok_or_else(|| {
            params.wrong("migration_capabilities", "words like `multifd` and `-xbzrle`")
        })?;
        let parameters = words("migration_parameters").map(|word| {
            let (name, value) = word.split_once('=').filter(|(name, _)| !name.is_empty())?;
            Some((name.to_owned(), Value::from(value)))
        });
        let parameters = parameters.collect::<Option<_>>().ok_or_else(|| {
            params.wrong("migration_parameters", "words like `multifd-channels=4`")
        })?;
        let set = |key| params.find_nonempty(key).is_some();
        let bandwidth = set("migration_bandwidth").then(|| params.get_size("migration_bandwidth"));
        let downtime = set("migration_downtime").then(|| params.get_duration("migration_downtime"));
        Ok(Self {
            bandwidth: bandwidth.transpose()?,
            downtime: downtime.transpose()?,
            capabilities,
            parameters,
            timeout: params.get_duration_or("mig_timeout", TIMEOUT)?,
        })
    }

    /// Whether the capability `name` is asked for.
    pub fn has_capability(&self, name: &str) -> bool {
        self.capabilities.iter().rev().find(|(known, _)| known == name).is_some_and(|(_, on)| *on)
    }

    /// Sets QEMU so, and gives back what was before: it stays set, also when the migration is
    /// over. Names and values that this QEMU does not have are refused before anything is set.
    pub fn apply(&self, monitor: &QmpMonitor) -> Result<Previous> {
        let doing = "setting up a migration";
        let offered = Capabilities::ask(monitor).context(doing)?;
        let capabilities = self.wanted_capabilities(&offered).context(doing)?;
        let parameters = self.wanted_parameters(monitor).context(doing)?;
        let knows_files = offered.find(MAPPED).is_some();
        let mut previous = Previous { knows_files, ..Previous::default() };
        set_capabilities(monitor, capabilities.iter().map(|(name, wanted, _)| (name, *wanted)))
            .context(doing)?;
        previous.capabilities =
            capabilities.into_iter().map(|(name, _, before)| (name, before)).collect();
        let (parameters, before) = parameters;
        if let Err(error) = set_parameters(monitor, parameters) {
            // The first error is the one to tell.
            let _ = previous.restore(monitor);
            return Err(error.context(doing));
        }
        previous.parameters = before;
        Ok(previous)
    }

    /// What is to be switched: name, wanted, as it is now.
    fn wanted_capabilities(&self, offered: &Capabilities) -> Result<Vec<(String, bool, bool)>> {
        let mut wanted: Vec<(String, bool, bool)> = Vec::new();
        // QEMU tells of each step, so that nobody need ask; who does not want it may say so.
        let events = offered.find("events").map(|_| ("events".to_owned(), true));
        for (name, on) in events.iter().chain(&self.capabilities) {
            let now = offered.get(name)?;
            if let Some((_, why)) = UNFIT.iter().find(|(unfit, _)| *on && unfit == name) {
                let message = format!("the migration capability `{name}` cannot be used: {why}");
                return Err(Error::new(ErrorKind::Params, message));
            }
            wanted.retain(|(known, ..)| known != name);
            wanted.push((name.clone(), *on, now));
        }
        wanted.retain(|(_, on, now)| on != now);
        Ok(wanted)
    }

    /// What is to be set, and what it is now.
    fn wanted_parameters(
        &self,
        monitor: &QmpMonitor,
    ) -> Result<(Map<String, Value>, Map<String, Value>)> {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let own = [
            self.bandwidth.map(|bytes| ("max-bandwidth".to_owned(), Value::from(bytes))),
            self.downtime.map(|time| ("downtime-limit".to_owned(), milliseconds(time).into())),
        ];
        let own: Vec<_> = own.into_iter().flatten().collect();
        let (mut wanted, mut before) = (Map::new(), Map::new());
        if own.is_empty() && self.parameters.is_empty() {
            return Ok((wanted, before));
        }
        let mut offered = Parameters::ask(monitor)?;
        for (name, value) in own.iter().chain(&self.parameters) {
            wanted.insert(name.clone(), offered.fit(name, value)?);
            if let Some(now) = offered.find(name) {
                before.insert(name.clone(), now.clone());
            }
        }
        Ok((wanted, before))
    }
}

/// How a QEMU was set before.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use = "what was set stays set until this is restored"]
pub struct Previous {
    capabilities: Vec<(String, bool)>,
    parameters: Map<String, Value>,
    /// Whether this QEMU has [`MAPPED`].
    knows_files: bool,
}

impl Previous {
    /// Whether this QEMU knows of machines in files, and has to be told where it is one.
    pub(super) fn knows_files(&self) -> bool {
        self.knows_files
    }

    /// Sets it so again. QEMU refuses that while a migration is under way.
    pub fn restore(&self, monitor: &QmpMonitor) -> Result<()> {
        set_capabilities(monitor, self.capabilities.iter().map(|(name, on)| (name, *on)))?;
        set_parameters(monitor, self.parameters.clone())
    }
}

fn set_capabilities<'a>(
    monitor: &QmpMonitor,
    wanted: impl Iterator<Item = (&'a String, bool)>,
) -> Result<()> {
    let wanted: Vec<Value> =
        wanted.map(|(name, on)| json!({"capability": name, "state": on})).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    monitor.cmd("migrate-set-capabilities", json!({ "capabilities": wanted })).map(drop)
}

fn set_parameters(monitor: &QmpMonitor, wanted: Map<String, Value>) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    monitor.cmd("migrate-set-parameters", Value::Object(wanted)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings> {
        let lines = text.lines().filter_map(|line| line.split_once(" = "));
        Settings::from_params(&lines.collect())
    }

    #[test]
    fn params_say_how() {
        assert_eq!(read("").expect("read"), Settings::default());
        let settings = read(
            "migration_bandwidth = 32M\nmigration_downtime = 0.5\nmig_timeout = 2m\n\
             migration_capabilities = multifd -postcopy-ram\n\
             migration_parameters = multifd-channels=4 tls-creds=a=b",
        );
        let expected = Settings {
            bandwidth: Some(32 << 20),
            downtime: Some(Duration::from_millis(500)),
            capabilities: vec![("multifd".into(), true), ("postcopy-ram".into(), false)],
            parameters: vec![
                ("multifd-channels".into(), "4".into()),
                ("tls-creds".into(), "a=b".into()),
            ],
            timeout: Duration::from_secs(120),
        };
        assert_eq!(settings.expect("read"), expected);
        assert!(expected.has_capability("multifd") && !expected.has_capability("postcopy-ram"));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_key() {
        for (key, value) in [
            ("migration_bandwidth", "fast"),
            ("migration_downtime", "short"),
            ("migration_parameters", "multifd-channels"),
            ("migration_parameters", "=4"),
            ("mig_timeout", "never"),
        ] {
            let error = read(&format!("{key} = {value}")).expect_err(key).to_string();
            assert!(
                error.contains(&format!("`{key}` must be")) && error.contains(value),
                "{error}"
            );
        }
    }
}
