//! From params to results: what is to run, one process a test, and reports that are folds over
//! the stream of events.

mod abort;
mod around;
pub mod cause;
pub mod child;
pub mod clock;
pub mod dispatch;
pub mod event;
pub mod exit_code;
mod film;
pub mod history;
pub mod hold;
mod hook;
mod hugepages;
pub mod jobs;
pub mod known;
mod local;
mod makers;
pub mod outcome;
pub mod plan;
mod postprocess;
mod preprocess;
mod profiler;
pub mod python;
pub mod queue;
pub mod report;
pub mod run;
pub mod scaffold;
pub mod scratch;
pub mod stage;
mod subtests_main;
pub mod watch;

pub use local::LocalStage;
pub use makers::Makers;
pub use outcome::Outcome;
pub use subtests_main::subtests_main;
