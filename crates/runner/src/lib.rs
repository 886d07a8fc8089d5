//! From params to results: what is to run, one process a test, and reports that are folds over
//! the stream of events.

pub mod child;
pub mod clock;
pub mod dispatch;
pub mod event;
pub mod exit_code;
pub mod outcome;
pub mod plan;
pub mod report;
pub mod run;
pub mod scaffold;
pub mod stage;
mod subtests_main;

pub use outcome::Outcome;
pub use subtests_main::subtests_main;
