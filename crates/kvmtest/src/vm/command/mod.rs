//! The QEMU command line, made from `params` by small pure functions, one file a part.
//!
//! Nothing here reads a file, starts a program or looks at the clock: what the binary can do comes
//! in through [`Facts`], where things lie through [`Paths`], and what has to be done before the
//! start (an overlay to be made, a socket to be connected) goes out in the [`CommandLine`].
//!
//! Every key is listed in [`KEYS`], with its scope, its default and what it does.
//!
//! ```
//! # use kvmtest::vm::command::{Facts, Paths, Request, build};
//! # struct Any;
//! # impl Facts for Any {
//! #     fn version(&self) -> (u32, u32) { (10, 0) }
//! #     fn devices(&self) -> Vec<&str> { vec!["virtio-net-pci"] }
//! #     fn machines(&self) -> Vec<&str> { vec!["q35"] }
//! #     fn netdevs(&self) -> Vec<&str> { vec!["user"] }
//! #     fn has_option(&self, _: &str) -> bool { true }
//! # }
//! let params = [("mem", "256"), ("nics", "nic1"), ("nic_model", "virtio")].into_iter().collect();
//! let paths = Paths {
//!     program: "qemu-system-x86_64".into(),
//!     instance: "/run/user/1000/kvmtest/vm1".into(),
//!     scratch: "/results/001-boot/vm1".into(),
//!     images: "/images".into(),
//!     overlays: None,
//!     own_images: std::collections::BTreeMap::new(),
//!     memory: None,
//!     layers: None,
//! };
//! let line = build(&Request {
//!     name: "vm1",
//!     params: &params,
//!     facts: &Any,
//!     accel: "tcg",
//!     guest: None,
//!     paths: &paths,
//!     seed: "vm1-20250101",
//! })?;
//! assert!(line.args.contains(&"size=256M".to_owned()));
//! assert_eq!(line.nics[0].model, "virtio-net-pci");
//! # Ok::<(), kvmtest::Error>(())
//! ```

mod agent;
mod argument;
mod assignment;
mod balloon;
mod boot;
mod bootindex;
mod builder;
mod cpu;
mod disk;
mod display;
mod extra;
mod facts;
mod identity;
mod kernel;
mod key;
mod keys;
mod line;
mod machine;
mod memory;
mod monitor;
mod netdev;
mod nic;
mod old;
mod panic;
mod plan;
mod read;
mod redirection;
mod request;
mod rng;
mod rtc;
mod script;
mod serial;
mod testdev;
#[cfg(test)]
mod tests;
mod usb;
mod uses;
mod vmgenid;
mod watchdog;
mod words;

pub use builder::build;
pub(crate) use disk::{image_file, image_overlay};
pub use facts::Facts;
pub(crate) use identity::mac as nic_mac;
pub use keys::{KEYS, Key, Scope};
pub use line::CommandLine;
pub(crate) use memory::is_plain as has_plain_memory;
pub use old::{OLD_FLAGS, OLD_KEYS, OLD_VALUES};
pub use request::{GuestParts, Layers, MemoryFile, Paths, Request};
pub(crate) use uses::layer;
pub use uses::{
    ImageKind, ImageUse, MonitorKind, MonitorUse, NicUse, Protocol, RedirUse, SerialUse,
};
