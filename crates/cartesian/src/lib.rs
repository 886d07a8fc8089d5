//! The Cartesian configuration language: text in, variants out.
//!
//! ```
//! use kvmtest_cartesian::{NoInclude, Parser, Source};
//!
//! let text = "
//! mem = 512
//! variants:
//!     - boot:
//!     - reboot:
//! variants:
//!     - small:
//!     - wide:
//!         mem = 2048
//! ";
//! let mut parser = Parser::new();
//! parser.parse(Source::new("tests.cfg", text), &mut NoInclude);
//! parser.statement("only reboot");
//! let (config, diagnostics) = parser.finish();
//! assert!(diagnostics.is_empty());
//! let names: Vec<_> = config.variants().map(|v| (v.name().to_owned(), v.get("mem").map(str::to_owned))).collect();
//! assert_eq!(names[0], ("small.reboot".into(), Some("512".into())));
//! assert_eq!(names[1], ("wide.reboot".into(), Some("2048".into())));
//! ```
//!
//! The library does no input and no output: [`Include`] finds the files that `include` names.

/// The README's examples are run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod census;
mod config;
mod count;
mod diagnostic;
mod explain;
mod finding;
mod include;
mod limits;
mod lint;
mod nearest;
mod parser;
mod plan;
mod tree;
mod variant;
mod walk;

#[cfg(test)]
#[path = "../tests/texts/mod.rs"]
mod texts;

pub use census::Census;
pub use config::{Config, Variants};
pub use diagnostic::{Diagnostic, Severity};
pub use explain::{Context, Effect, Elsewhere, Explain, Step, Story, Substitution};
pub use finding::Finding;
pub use include::{Include, NoInclude, NotIncluded, Source};
pub use nearest::nearest;
pub use parser::Parser;
pub use tree::source::Place;
pub use variant::Variant;
pub use variant::piece::Piece;
