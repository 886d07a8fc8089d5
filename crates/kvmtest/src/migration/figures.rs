//! How far a migration is.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Result;
use crate::monitor::QmpMonitor;

/// How far a migration is, as QEMU's `query-migrate` says. What it does not say is 0 or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// `none`, `setup`, `active`, `postcopy-active`, `device`, `completed`, `failed`, `cancelling`,
    /// `cancelled`, …
    pub status: String,
    /// The guest's memory, in bytes.
    pub total: u64,
    /// Bytes that were sent.
    pub transferred: u64,
    /// Bytes of memory that are left to be sent.
    pub remaining: u64,
    /// Bytes a second that are being sent.
    pub rate: u64,
    /// Bytes of memory a second that the guest changes.
    pub dirty_rate: u64,
    /// How long the guest stood still, once it is over; what QEMU expects before.
    #[serde(with = "milliseconds", rename = "downtime_ms")]
    pub downtime: Option<Duration>,
    /// How long it takes, or took, in all.
    #[serde(with = "milliseconds", rename = "total_ms")]
    pub total_time: Option<Duration>,
    /// How long preparing it took.
    #[serde(with = "milliseconds", rename = "setup_ms")]
    pub setup_time: Option<Duration>,
    /// How many times the memory was gone through.
    pub passes: u64,
    /// Whether the guest runs at the destination already.
    pub postcopy: bool,
    /// Why it failed, in QEMU's words.
    pub error: Option<String>,
}

impl Figures {
    /// Asks QEMU, which may take `timeout` to answer.
    pub fn ask(monitor: &QmpMonitor, timeout: Duration) -> Result<Self> {
        let answer = monitor.cmd_timeout("query-migrate", Value::Null, timeout)?;
        Ok(Self::read(&answer))
    }

    /// Reads the answer to `query-migrate`.
    pub fn read(answer: &Value) -> Self {
        let ram = &answer["ram"];
        let time = |key: &str| answer[key].as_u64().map(Duration::from_millis);
        let text = |key: &str| answer[key].as_str().map(str::to_owned);
        let count = |key: &str| ram[key].as_u64().unwrap_or_default();
        let status = text("status").unwrap_or_else(|| "none".to_owned());
        Self {
            total: count("total"),
            transferred: count("transferred"),
            remaining: count("remaining"),
            rate: bytes_a_second(ram["mbps"].as_f64().unwrap_or_default()),
            dirty_rate: count("dirty-pages-rate").saturating_mul(page_size(ram)),
            downtime: time("downtime").or_else(|| time("expected-downtime")),
            total_time: time("total-time"),
            setup_time: time("setup-time"),
            passes: count("dirty-sync-count"),
            postcopy: status.starts_with("postcopy") || count("postcopy-requests") > 0,
            error: text("error-desc").filter(|words| !words.is_empty()),
            status,
        }
    }

    /// Whether it is over, well or not.
    pub fn is_over(&self) -> bool {
        matches!(&*self.status, "none" | "completed" | "failed" | "cancelled")
    }

    /// Whether it is through, and how long it took is not counted yet.
    pub(super) fn lacks_times(&self) -> bool {
        self.status == "completed" && self.total_time == Some(Duration::ZERO)
    }
}

/// `37 of 256 MiB in 2 passes, 12 MiB/s, the guest changes 20 MiB/s`.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        let done = self.total.saturating_sub(self.remaining);
        let noun = if self.passes == 1 { "pass" } else { "passes" };
        write!(f, "{} of {} MiB in {} {noun}", mib(done), mib(self.total), self.passes)?;
        write!(f, ", {} MiB/s", mib(self.rate))?;
        write!(f, ", the guest changes {} MiB/s", mib(self.dirty_rate))
    }
}

fn page_size(ram: &Value) -> u64 {
    ram["page-size"].as_u64().unwrap_or(4096)
}

/// From millions of bits a second.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn bytes_a_second(mbps: f64) -> u64 {
    (mbps * 1e6 / 8.0) as u64
}

/// A time as a whole number of milliseconds.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "what serde calls")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).serialize(to)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_qemu_says_is_read_in_bytes_and_seconds() {
        let figures = Figures::read(&json!({
            "status": "active", "total-time": 1500, "setup-time": 3, "expected-downtime": 300,
            "ram": {"total": 1000, "transferred": 600, "remaining": 500, "mbps": 8.5,
                    "dirty-pages-rate": 3, "page-size": 4096, "dirty-sync-count": 2,
                    "postcopy-requests": 0}
        }));
        assert_eq!((figures.rate, figures.dirty_rate), (1_062_500, 12288));
        assert_eq!((figures.total, figures.transferred, figures.remaining), (1000, 600, 500));
        assert_eq!(figures.downtime, Some(Duration::from_millis(300)));
        assert_eq!(figures.total_time, Some(Duration::from_millis(1500)));
        assert_eq!((figures.passes, figures.postcopy), (2, false));
        assert!(!figures.is_over());
    }

    #[test]
    fn what_is_missing_or_odd_is_nothing() {
        let none = Figures { status: "none".to_owned(), ..Figures::default() };
        for answer in [json!({}), json!(null), json!([1]), json!({"ram": 5, "status": 7})] {
            assert_eq!(Figures::read(&answer), none, "{answer}");
        }
        let odd = json!({"status": "x", "ram": {"mbps": -1.0, "total": -5, "dirty-pages-rate": u64::MAX},
                         "downtime": "soon", "error-desc": ""});
        let odd = Figures::read(&odd);
        assert_eq!((odd.rate, odd.total, odd.dirty_rate), (0, 0, u64::MAX));
        assert_eq!((odd.downtime, odd.error), (None, None));
    }

    #[test]
    fn figures_in_words() {
        let check = |passes, words: &str| {
            let said = Figures { passes, total: 3 << 20, ..Figures::default() }.to_string();
            assert_eq!(said, format!("3 of 3 MiB in {words}, 0 MiB/s, the guest changes 0 MiB/s"));
        };
        check(0, "0 passes");
        check(1, "1 pass");
        check(2, "2 passes");
    }

    #[test]
    fn figures_survive_json() {
        let figures = Figures::read(&json!({"status": "completed", "downtime": 17}));
        let text = serde_json::to_string(&figures).expect("written");
        assert!(text.contains(r#""downtime_ms":17"#), "{text}");
        assert_eq!(serde_json::from_str::<Figures>(&text).expect("read"), figures);
        assert_eq!(serde_json::from_str::<Figures>("{}").expect("read"), Figures::default());
    }
}
