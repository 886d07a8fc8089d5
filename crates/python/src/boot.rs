//! What a machine needs that nobody has a configuration for.

use kvmtest::Params;
use kvmtest_cartesian::{NoInclude, Parser, Source, Variant};

/// The params that every test starts from: `configs/base.cfg`, as it was when this was built.
pub(crate) fn base() -> Params {
    const NAME: &str = "base.cfg";
    let mut parser = Parser::new();
    let source = Source::new(NAME, include_str!("../../../configs/base.cfg"));
    parser.parse(source, &mut NoInclude);
    let (config, _) = parser.finish();
    let first = config.variants().next();
    first.iter().flat_map(Variant::params).collect()
}
