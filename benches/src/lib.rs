//! What the benches share: commands that are timed as a whole, and the figures of several runs.

mod bare;
mod by_hand;
mod figures;
mod package;
mod program;
mod reference;
mod usage;

pub use bare::boot_bare;
pub use by_hand::{ByHand, Moved};
pub use figures::Figures;
pub use package::package;
pub use program::Program;
pub use reference::Reference;
pub use usage::{Usage, first_line, usage, usage_and_output};
