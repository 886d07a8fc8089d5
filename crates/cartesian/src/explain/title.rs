//! The stories of the keys that the language sets itself: which lines of variants they are made
//! of.

use super::context;
use super::step::{Effect, Step};
use super::{Explain, Story};
use crate::plan::Plan;
use crate::title::Title;
use crate::tree::NodeId;
use crate::walk::Leaf;

/// A key of the language that a [`Title`] has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    Name,
    Shortname,
    Dep,
}

impl Own {
    fn of(key: &str) -> Option<Self> {
        match key {
            "name" => Some(Self::Name),
            "shortname" => Some(Self::Shortname),
            "dep" => Some(Self::Dep),
            _ => None,
        }
    }

    /// `None`: there is nothing yet, or nothing at all.
    fn value(self, title: &Title) -> Option<String> {
        let value = match self {
            Self::Name => title.name.clone(),
            Self::Shortname => title.shortname.clone(),
            Self::Dep => title.dep.join(" "),
        };
        (!value.is_empty()).then_some(value)
    }
}

/// `None` where the key is not one of the language.
pub(super) fn explain(plan: &Plan, leaf: &Leaf, variant: &str, key: &str) -> Option<Explain> {
    let own = Own::of(key)?;
    let mut stories = Vec::new();
    each_path(leaf, &mut |path| stories.push(story(plan, path, own, key)));
    let value = own.value(&Title::of(plan, leaf));
    // All parts of a joined variant give labels to the name; what it depends on is the last's.
    let single = stories.len() == 1 || own == Own::Dep;
    let from = value.as_ref().and_then(|_| stories.len().checked_sub(1)).filter(|_| single);
    let took = |story: &Story| story.steps.iter().rfind(|step| step.effect.took()).cloned();
    let place = from.and_then(|from| Some(took(&stories[from])?.place));
    Some(Explain {
        variant: variant.to_owned(),
        key: key.to_owned(),
        value,
        place,
        stories,
        from,
        elsewhere: Vec::new(),
    })
}

fn each_path(leaf: &Leaf, visit: &mut impl FnMut(&[NodeId])) {
    match leaf {
        Leaf::Path(path) => visit(path),
        Leaf::Joined(leaves) => leaves.iter().for_each(|leaf| each_path(leaf, visit)),
    }
}

/// A title grows from the root down.
fn story(plan: &Plan, path: &[NodeId], own: Own, key: &str) -> Story {
    let mut steps = Vec::new();
    let mut before = None;
    for (at, &node) in path.iter().enumerate() {
        let head = &plan.tree.node(node).head;
        if head.labels.is_empty() || (own == Own::Dep && head.deps.is_empty()) {
            continue;
        }
        let after = own.value(&Title::of_path(plan, &path[..=at]));
        let effect = match before {
            _ if before == after => Effect::Hidden,
            None => Effect::Set,
            Some(_) => Effect::Append,
        };
        steps.push(Step {
            place: plan.tree.sources.place(head.at.start),
            statement: plan.span(head.at).to_owned(),
            operator: "-",
            key: key.to_owned(),
            context: context::around_head(plan, node),
            substitutions: Vec::new(),
            before: std::mem::replace(&mut before, after.clone()),
            after,
            effect,
        });
    }
    let result = before.into_iter().map(|value| (key.to_owned(), value)).collect();
    Story { variant: Title::of_path(plan, path).name, steps, result }
}
