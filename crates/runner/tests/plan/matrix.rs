//! A small matrix, in the form of the one that ships.

use kvmtest::{Params, Subtest, Test};
use kvmtest_cartesian::Variant;
use kvmtest_runner::child::Program;
use kvmtest_runner::plan::{Choice, Known, Refusal, Selection, Shipped, Wanted, select};

pub(crate) struct Matrix(pub(crate) Vec<(&'static str, &'static str)>);

impl Shipped for Matrix {
    fn text(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
    }

    fn paths(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }
}

pub(crate) fn matrix() -> Matrix {
    let subtests = "
variants:
    - boot:
        type = boot
    - reboot:
        type = boot
        reboot_method = shell
    - shutdown:
        type = shutdown
    - @others:
        include <subtests>
";
    let tests = "
mem = 256
include subtests.cfg
variants:
    - @small:
        guest = small
    - wide:
        guest = wide
sets = quick full
variants:
    - @quick:
        only small
        only boot, reboot
    - @full:
";
    Matrix(vec![("tests.cfg", tests), ("subtests.cfg", subtests)])
}

#[expect(clippy::unnecessary_wraps, reason = "it is a subtest")]
fn nothing(_: &mut Test, _: &Params, _: &mut kvmtest::Env) -> kvmtest::Result<()> {
    Ok(())
}

pub(crate) fn known(names: &[&'static str]) -> Known {
    let table: Vec<Subtest> = names
        .iter()
        .map(|name| Subtest { name, file: "shipped/src/x.rs", doc: "What it does.", run: nothing })
        .collect();
    Known::new(&table, "tree/shipped".into(), Program::new("/shipped", ["child"]))
}

pub(crate) const SHIPPED: &[&str] = &["boot", "shutdown", "migrate"];

/// Chooses from the small matrix.
pub(crate) fn choose(what: &[&str]) -> Result<Selection, Refusal> {
    choose_with(&Choice { wanted: Wanted::parse(what).expect("understood"), ..Choice::default() })
}

/// The first variant of a selection.
pub(crate) fn first(selection: &Selection) -> Variant {
    selection.variants().next().expect("it is not empty")
}

pub(crate) fn choose_with(choice: &Choice) -> Result<Selection, Refusal> {
    select(choice, &matrix(), &known(SHIPPED))
}

pub(crate) fn shortnames(selection: &Selection) -> Vec<String> {
    selection.variants().map(|variant| variant.shortname().to_owned()).collect()
}
