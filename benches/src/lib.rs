//! What the benches share: commands that are timed as a whole, and the figures of several runs.

mod bare;
mod figures;
mod program;

pub use bare::boot_bare;
pub use figures::Figures;
pub use program::Program;
