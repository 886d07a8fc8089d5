//! What of a configuration is meant: shared by the commands that take WHAT.

use camino::Utf8Path;
use kvmtest::Result;
use kvmtest_runner::child::Program;
use kvmtest_runner::plan::{Choice, Known, Offer, Offers, Refusal, Selection, Wanted, select};
use kvmtest_runner::run::House;

use crate::shipped::{Configs, python_subtests};
use crate::{args, terminal};

/// The shipped configuration's largest set: what is listed where nothing narrows it.
pub(super) const LARGEST: &str = "full";

/// The program as the runner knows it.
pub(super) fn house() -> Result<House<'static>> {
    Ok(House {
        program: concat!("kvmtest ", env!("CARGO_PKG_VERSION")),
        table: kvmtest_subtests::SUBTESTS,
        folder: Utf8Path::new("subtests/rust"),
        python: python_subtests(),
        python_folder: Utf8Path::new("subtests/python"),
        child: Program::current()?,
        shipped: &Configs,
    })
}

/// What was typed, taken apart.
pub(super) fn choice(selection: &args::Selection) -> Result<Choice> {
    Ok(Choice {
        wanted: Wanted::parse(&selection.what)?,
        config: selection.config.clone(),
        set: selection.set.clone(),
        defaults: selection.defaults,
        expand_defaults: selection.expand_defaults.clone(),
        names: None,
    })
}

/// The variants that are meant, and the subtests that there are. An exit code where there are
/// none, and then it has been said why.
pub(super) fn resolve(
    selection: &args::Selection,
    set: Option<&str>,
) -> Result<Result<(Selection, Known), u8>> {
    let known = house()?.known(&selection.subtests)?;
    let mut choice = choice(selection)?;
    if choice.set.is_none() {
        choice.set = set.map(str::to_owned);
    }
    match select(&choice, &Configs, &known) {
        Ok(selection) => {
            for warning in &selection.warnings {
                terminal::note(warning.render(terminal::has_colour()).trim_end());
            }
            Ok(Ok((selection, known)))
        }
        Err(refusal) => {
            let text = refusal.render(terminal::has_colour());
            let by = if matches!(refusal, Refusal::Nothing(_)) { "" } else { "kvmtest: " };
            terminal::note(format!("{by}{}", text.trim_end()));
            Ok(Err(refusal.exit_code()))
        }
    }
}

/// What the configuration that was typed so far has to offer; for completion, which must not say
/// a word, nor build a crate of subtests.
pub(crate) fn offered(
    selection: &args::Selection,
    ask: impl FnOnce(&Offers) -> Vec<Offer>,
) -> Option<Vec<Offer>> {
    let known = house().ok()?.known(&[]).ok()?;
    let whole = selection.config.is_none().then(|| LARGEST.to_owned());
    // A word that means nothing as it is does not keep the others from meaning something.
    let words = selection.what.iter().filter_map(|word| Wanted::parse([word]).ok());
    let statements = words.flat_map(|wanted| wanted.statements).collect();
    let choice = Choice {
        wanted: Wanted { filters: Vec::new(), statements },
        config: selection.config.clone(),
        set: selection.set.clone().or(whole),
        defaults: selection.defaults,
        expand_defaults: selection.expand_defaults.clone(),
        names: None,
    };
    Some(ask(&Offers::new(&choice, &Configs, known)?))
}
