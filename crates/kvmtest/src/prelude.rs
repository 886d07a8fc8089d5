//! What a subtest usually needs: `use kvmtest::prelude::*;`.

pub use std::time::Duration;

pub use crate::deadline::Deadline;
pub use crate::env::Env;
pub use crate::error::{Context, Error, ErrorKind, Result};
pub use crate::params::Params;
pub use crate::session::Session;
pub use crate::test::Test;
pub use crate::vm::Vm;
