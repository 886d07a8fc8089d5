//! What holds for every story.

use crate::steps;
use kvmtest_cartesian::{Context, Effect, Explain, Story, Variant};
use std::sync::Arc;

/// It ends with the value that the variant has, each statement
/// begins where the one before left off, and what did nothing changed nothing.
#[track_caller]
pub(crate) fn is_consistent(explain: &Explain, variant: &Variant) {
    let key = explain.key.as_str();
    assert_eq!(explain.value.as_deref(), variant.get(key), "{explain}");
    assert_eq!(explain.place, variant.place(key), "{explain}");
    assert_eq!(explain.from.is_some(), explain.value.is_some(), "{explain}");
    for (at, story) in explain.stories.iter().enumerate() {
        let suffixed = story.steps.iter().any(|step| step.effect == Effect::Suffix);
        if !suffixed {
            is_chain(explain, story);
        }
        if explain.from == Some(at) {
            let value = explain.value.as_deref();
            let gives = |(_, result): &(String, Arc<str>)| Some(result.as_ref()) == value;
            assert!(story.result.iter().any(gives), "{explain}");
        }
    }
    for step in steps(explain) {
        let failed =
            |context: &&Context| matches!(context, Context::Condition { holds: Some(false), .. });
        let failed = step.context.iter().filter(failed).count();
        assert_eq!(failed, usize::from(step.effect == Effect::Condition), "{explain}");
        if !step.effect.took() {
            assert_eq!(step.before, step.after, "{explain}");
        }
    }
}

fn is_chain(explain: &Explain, story: &Story) {
    let mut value = None;
    for step in &story.steps {
        assert_eq!(step.before, value, "{}\n{explain}", step.place);
        value.clone_from(&step.after);
    }
    let result = story.result.first().map(|(_, value)| value.clone());
    assert_eq!(result, value, "{explain}");
}
