//! Why a test failed: evidence is gathered while everything is still there, and a table decides.

mod answer;
mod evidence;
mod files;
mod gather;
mod host;
mod judge;
mod machine;
mod table;
mod vcpu;

pub use answer::Answer;
pub use evidence::{Ended, Evidence, Failure, Machine, Voice};
pub use files::{Kept, keep};
pub use gather::{Question, gather};
pub use host::{HostFacts, HostFigures};
pub use judge::{Case, Judgement};
pub use table::{Row, TABLE, cause};
pub use vcpu::{Sample, Vcpu, VcpuState};
