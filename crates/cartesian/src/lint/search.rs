//! Is there a name that goes through a variant and fulfils all of this?
//!
//! A complete search, from the end of a name to its beginning, that gives up after a number of
//! steps. Where it fails it notes which choices were to blame; one that was not is not tried
//! another way. What contradicts itself is therefore found out in about as many steps as a block
//! has variants, however many names there are.

use super::facts::{Blame, Facts};
use super::outline::{Outline, entry_of_top, outwards};
use crate::plan::Plan;
use crate::tree::filter::FilterId;
use crate::tree::label::number;
use crate::tree::{Item, NodeId};
use crate::walk::judge::Verdict;

/// For one question: far more than those of real matrices take.
const STEPS: u64 = 400_000;
/// For all of them together.
const STEPS_TOGETHER: u64 = 100_000_000;

/// Entering a node takes as long as that many steps; a step is to look at a word of a filter.
const ENTERING: usize = 8;

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Question<'q> {
    /// The variant that the name goes through.
    pub(super) through: Option<u32>,
    /// What it fulfils besides: `Only` and `No`.
    pub(super) demands: &'q [Item],
    /// The statements that count: those whose filter has a smaller number. Filters are numbered
    /// in the order in which they are read.
    pub(super) until: FilterId,
    /// Whether statements that every name has to pass count, too.
    pub(super) selections: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Yes,
    Never,
    /// Nobody knows: it would take too long.
    Open,
}

pub(super) struct Search<'a> {
    plan: &'a Plan,
    outline: &'a Outline,
    levels: Vec<Level>,
    facts: Facts,
    /// What is not decided yet, and the choices that brought it: all levels after one another.
    open: Vec<(Item, Blame)>,
    /// Through which entries the question goes, and for each block which child that is.
    forced: Vec<bool>,
    must: Vec<Option<usize>>,
    /// Through which entries a name was seen to go that passes all statements but selections.
    alive: Vec<bool>,
    /// For each block the child that the last name went through: what fitted once often fits.
    liked: Vec<usize>,
    left: u64,
    left_together: u64,
}

struct Level {
    node: NodeId,
    open_start: usize,
    labels_start: usize,
    /// How many choices led here.
    choices: u32,
    tried: usize,
    /// Which child the name goes through.
    at: usize,
    /// The choice of this node among others.
    bit: Blame,
    /// What the failures below were due to, besides the choices made here.
    blame: Blame,
}

impl<'a> Search<'a> {
    pub(super) fn new(plan: &'a Plan, outline: &'a Outline) -> Self {
        let entries = outline.len() as usize;
        Self {
            plan,
            outline,
            levels: Vec::new(),
            facts: Facts::new(plan, entries),
            open: Vec::new(),
            forced: vec![false; entries],
            must: vec![None; plan.tree.nodes.len()],
            alive: vec![false; entries],
            liked: vec![0; plan.tree.nodes.len()],
            left: 0,
            left_together: STEPS_TOGETHER,
        }
    }

    pub(super) fn was_seen_alive(&self, entry: u32) -> bool {
        self.alive[entry as usize]
    }

    pub(super) fn ask(&mut self, question: &Question) -> Answer {
        self.left = STEPS.min(self.left_together);
        if self.left == 0 {
            return Answer::Open;
        }
        let given = self.left;
        for entry in outwards(self.plan, question.through) {
            self.forced[entry as usize] = true;
            self.must[self.outline.block(entry).0 as usize] = Some(self.outline.position(entry));
        }
        let answer = self.find(question);
        if answer == Answer::Yes && question.until == everything(self.plan) {
            for pair in self.levels.windows(2) {
                let (block, child) = (pair[0].node, pair[1].node);
                if let Some(entry) = entry_of_top(self.plan, child) {
                    self.alive[entry as usize] = true;
                    self.liked[block.0 as usize] = pair[0].at;
                }
            }
        }
        while !self.levels.is_empty() {
            self.leave();
        }
        for entry in outwards(self.plan, question.through) {
            self.forced[entry as usize] = false;
            self.must[self.outline.block(entry).0 as usize] = None;
        }
        self.left_together -= given - self.left;
        answer
    }

    /// The statement after which the answer is "never", where without any it is "yes".
    pub(super) fn culprit(&mut self, question: &Question) -> Option<FilterId> {
        let (mut yes, mut never) = (0, question.until.0);
        if self.ask(&Question { until: FilterId(0), ..*question }) != Answer::Yes {
            return None;
        }
        while never - yes > 1 {
            let middle = yes + (never - yes) / 2;
            match self.ask(&Question { until: FilterId(middle), ..*question }) {
                Answer::Yes => yes = middle,
                Answer::Never => never = middle,
                Answer::Open => return None,
            }
        }
        Some(FilterId(yes))
    }

    fn find(&mut self, question: &Question) -> Answer {
        let plan = self.plan;
        let outline = self.outline;
        self.open.clear();
        self.open.extend(question.demands.iter().map(|&demand| (demand, 0)));
        // What counts for every name in question rules out early when it is known from the start.
        for scope in outwards(plan, question.through).map(Some).chain([None]) {
            for &node in outline.nodes(scope) {
                self.pay(1 + outline.guards(node).len());
                let counted =
                    outline.guards(node).iter().filter(|i| self.counts(**i, scope, question));
                let counted: Vec<_> = counted.map(|&item| (item, 0)).collect();
                self.open.extend(counted);
            }
        }
        self.enter(plan.root, (0, 0), question);
        while self.left > 0 {
            let Some(level) = self.levels.last_mut() else { return Answer::Never };
            let children = &plan.tree.node(level.node).children;
            if children.is_empty() {
                return Answer::Yes;
            }
            let scope = plan.tree.spans.nodes[level.node.0 as usize];
            let alone =
                if children.len() == 1 { Some(0) } else { self.must[level.node.0 as usize] };
            let tried = level.tried;
            level.tried += 1;
            match alone {
                Some(child) if tried == 0 => {
                    level.at = child;
                    let choices = level.choices;
                    self.enter(children[child], (0, choices), question);
                }
                None if tried < children.len() => {
                    let child = order(tried, self.liked[level.node.0 as usize]);
                    level.at = child;
                    let bit = 1 << level.choices.min(LAST_BIT);
                    let choices = level.choices + 1;
                    self.enter(children[child], (bit, choices), question);
                }
                _ => {
                    // Another choice further out would have led to other blocks.
                    let blame = level.blame | self.facts.origin(scope);
                    self.back(blame);
                }
            }
        }
        Answer::Open
    }

    /// Goes into a node, and back where that is impossible.
    fn enter(&mut self, node: NodeId, (bit, choices): (Blame, u32), question: &Question) {
        let plan = self.plan;
        let inherited = self.levels.last().map_or(0, |level| level.open_start);
        let open_start = self.open.len();
        let labels_start = self.facts.len();
        let level =
            Level { node, open_start, labels_start, choices, tried: 0, at: 0, bit, blame: 0 };
        self.levels.push(level);
        self.pay(ENTERING);
        let scope = plan.tree.spans.nodes[node.0 as usize];
        if let Some(entry) = entry_of_top(plan, node) {
            self.facts.choose(plan, self.outline.block(entry), entry, bit);
        }
        let mut verdict = Ok(());
        for at in inherited..open_start {
            let (item, blame) = self.open[at];
            verdict = verdict.and_then(|()| self.admit(item, blame, node, question));
        }
        if scope.is_some_and(|entry| !self.forced[entry as usize]) {
            let origin = self.facts.origin(scope);
            for &item in self.outline.guards(node) {
                if verdict.is_ok() && self.counts(item, scope, question) {
                    verdict = self.admit(item, origin, node, question);
                }
            }
        }
        if let Err(blame) = verdict {
            self.back(blame);
        }
    }

    /// Goes back to the last choice that is to blame.
    fn back(&mut self, blame: Blame) {
        while let Some(level) = self.levels.last() {
            let bit = level.bit;
            self.leave();
            if blame & bit != 0 {
                let shared = bit == 1 << LAST_BIT;
                let rest = if shared { blame } else { blame & !bit };
                if let Some(level) = self.levels.last_mut() {
                    level.blame |= rest;
                }
                return;
            }
        }
    }

    fn leave(&mut self) {
        let Some(level) = self.levels.pop() else { return };
        self.open.truncate(level.open_start);
        self.facts.forget(self.plan, level.labels_start);
        if let Some(entry) = entry_of_top(self.plan, level.node) {
            self.facts.unchoose(self.outline.block(entry), entry);
        }
    }

    /// Keeps what is still open; an error where it drops everything from here on.
    fn admit(
        &mut self,
        item: Item,
        origin: Blame,
        node: NodeId,
        question: &Question,
    ) -> Result<(), Blame> {
        let plan = self.plan;
        let filter = match item {
            Item::Only(filter) | Item::No(filter) => filter,
            Item::When(condition) => plan.tree.conditions[condition as usize].filter,
            Item::Assign(_) | Item::Join(_) | Item::Suffix(_) => return Ok(()),
        };
        self.pay(1 + plan.tree.filters.words(filter).len());
        let verdict = self.facts.judge(plan, node).filter(filter);
        if verdict == Verdict::Open {
            self.open.push((item, origin));
            return Ok(());
        }
        let matches = verdict == Verdict::Match;
        let is_right = match item {
            Item::Only(_) => matches,
            Item::When(condition) => matches == plan.tree.conditions[condition as usize].negated,
            _ => !matches,
        };
        if is_right {
            return Ok(());
        }
        let (why, cost) = self.facts.why(plan, self.outline, filter, node, matches);
        self.pay(cost);
        let blame = origin | why;
        let Item::When(condition) = item else { return Err(blame) };
        for &inner in &plan.tree.conditions[condition as usize].body {
            if self.is_read(inner, question) {
                self.admit(inner, blame, node, question)?;
            }
        }
        Ok(())
    }

    /// Whether a statement of a node counts for the question.
    fn counts(&self, item: Item, scope: Option<u32>, question: &Question) -> bool {
        let selects = !matches!(item, Item::When(_)) && self.outline.is_unavoidable(scope);
        (question.selections || !selects) && self.is_read(item, question)
    }

    fn is_read(&self, item: Item, question: &Question) -> bool {
        match item {
            Item::Only(filter) | Item::No(filter) => filter.0 < question.until.0,
            Item::When(condition) => {
                self.plan.tree.conditions[condition as usize].filter.0 < question.until.0
            }
            Item::Assign(_) | Item::Join(_) | Item::Suffix(_) => false,
        }
    }

    fn pay(&mut self, steps: usize) {
        self.left = self.left.saturating_sub(steps as u64);
    }
}

/// The child that is tried as number `tried`: the liked one comes before all others.
fn order(tried: usize, liked: usize) -> usize {
    match tried {
        0 => liked,
        _ if tried <= liked => tried - 1,
        _ => tried,
    }
}

/// All choices from this one on share a bit, which is never taken off.
const LAST_BIT: u32 = Blame::BITS - 1;

/// With this, all statements count.
pub(super) fn everything(plan: &Plan) -> FilterId {
    FilterId(number(plan.tree.spans.filters.len()))
}
