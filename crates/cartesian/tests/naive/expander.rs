//! Every combination by copying: slow, and right by having nothing clever in it.
//!
//! A `variants` block copies everything that stands above it into each of its variants. A filter
//! is looked at only at the very end, when the whole name of a combination is known.

use crate::dictionary::Dictionary;
use crate::statement::{Block, Entry, Filter, Label, Statement};

/// One variant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Expanded {
    pub(crate) name: String,
    pub(crate) shortname: String,
    pub(crate) deps: Vec<String>,
    /// Keys and values, in the order in which the keys came to be.
    pub(crate) params: Vec<(String, String)>,
}

/// What there is to choose from.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(Combination),
    Choice {
        /// The alternative that comes first.
        default: Option<usize>,
        /// The others are not wanted if anything is left of the first.
        alone: bool,
        alternatives: Vec<Tree>,
    },
    /// One of each filter.
    Join(Vec<Filter>, Box<Tree>),
}

/// The variants that were gone through, the last block first, and all their statements in order.
#[derive(Clone, Debug, Default)]
struct Combination {
    heads: Vec<Head>,
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Head {
    labels: Vec<Label>,
    deps: Vec<String>,
    hidden: bool,
}

/// A combination that was chosen, or several that were joined.
#[derive(Clone)]
struct Chosen {
    name: Vec<String>,
    shortname: Vec<String>,
    deps: Vec<String>,
    dictionary: Dictionary,
}

/// Expands a text. `defaults` has the names of the blocks that are exceptions, if only default
/// variants are wanted. `None` if there are more combinations than anybody wants to wait for.
pub(crate) fn expand(text: &[Statement], defaults: Option<&[String]>) -> Option<Vec<Expanded>> {
    let mut tree = Tree::Leaf(Combination::default());
    scope(text, defaults, &mut tree)?;
    let chosen = choose(&tree)?;
    let expanded = |chosen: Chosen| Expanded {
        name: chosen.name.join("."),
        shortname: chosen.shortname.join("."),
        deps: chosen.deps,
        params: chosen.dictionary.params(),
    };
    Some(chosen.into_iter().map(expanded).collect())
}

/// How many combinations are waited for.
const MANY: usize = 600;

/// Applies the statements of the outermost scope, or of a variant, to what stands above them.
fn scope(statements: &[Statement], defaults: Option<&[String]>, tree: &mut Tree) -> Option<()> {
    let mut suffix = None;
    // Two `join` without a block between them are one.
    let mut joined = false;
    for statement in statements {
        match statement {
            Statement::Variants(block) => {
                *tree = variants(block, defaults, tree)?;
                joined = false;
            }
            Statement::Join(filter) => {
                let each = filter.0.iter().map(|word| Filter(vec![word.clone()]));
                match tree {
                    Tree::Join(filters, _) if joined => filters.extend(each),
                    _ => *tree = Tree::Join(each.collect(), Box::new(tree.clone())),
                }
                joined = true;
            }
            Statement::Suffix(_) => suffix = Some(statement),
            _ => tree.each(&mut |leaf| leaf.statements.push(suffix_at_end(statement))),
        }
    }
    if let Some(suffix) = suffix {
        tree.each(&mut |leaf| leaf.statements.push(suffix.clone()));
    }
    Some(())
}

fn variants(block: &Block, defaults: Option<&[String]>, above: &Tree) -> Option<Tree> {
    let name = block.name.as_ref();
    let is_exception = name.is_some_and(|name| defaults.unwrap_or(&[]).contains(name));
    let mut alternatives = Vec::new();
    let mut default = None;
    for (at, variant) in block.variants.iter().enumerate() {
        let mut tree = above.clone();
        if let Some(name) = &block.name {
            let (key, operator, value) = (name.clone(), "=".to_owned(), variant.name.clone());
            let own = Statement::Assign { key, operator, value };
            tree.each(&mut |leaf| leaf.statements.push(own.clone()));
        }
        scope(&variant.body, defaults, &mut tree)?;
        let has_block = variant.body.iter().any(|s| matches!(s, Statement::Variants(_)));
        if is_exception && has_block {
            tree.expand_last_block();
        }
        let is_default = |variant: &Entry| {
            let wanted = block.default.iter().flat_map(|default| default.split('.'));
            let labels = variant.name.split('.');
            block.default.is_some() && wanted.zip(labels).all(|(wanted, label)| wanted == label)
        };
        let first = block.variants.iter().position(is_default) == Some(at);
        let hidden = variant.hidden || first;
        if hidden && default.is_none() {
            default = Some(at);
        }
        let label = |name: &str| Label { block: block.name.clone(), name: name.into() };
        let labels = variant.name.split('.').map(label).collect();
        let head = Head { labels, deps: variant.deps.clone(), hidden };
        tree.each(&mut |leaf| leaf.heads.insert(0, head.clone()));
        alternatives.push(tree);
    }
    if defaults.is_none() || is_exception {
        default = None;
    }
    let tree = Tree::Choice { default, alone: true, alternatives };
    (tree.clone().count() <= MANY).then_some(tree)
}

impl Tree {
    fn each(&mut self, change: &mut dyn FnMut(&mut Combination)) {
        match self {
            Self::Leaf(leaf) => change(leaf),
            Self::Choice { alternatives, .. } => {
                for tree in alternatives {
                    tree.each(change);
                }
            }
            Self::Join(_, below) => below.each(change),
        }
    }

    /// The block that is not below another one gives all its variants, its default still first.
    fn expand_last_block(&mut self) {
        match self {
            Self::Leaf(_) => {}
            Self::Choice { alone, .. } => *alone = false,
            Self::Join(_, below) => below.expand_last_block(),
        }
    }

    fn count(&mut self) -> usize {
        let mut count = 0;
        self.each(&mut |_| count += 1);
        count
    }
}

fn choose(tree: &Tree) -> Option<Vec<Chosen>> {
    match tree {
        Tree::Leaf(leaf) => Some(leaf.choose().into_iter().collect()),
        Tree::Choice { default, alone, alternatives } => {
            let first =
                default.map_or(Some(Vec::new()), |default| choose(&alternatives[default]))?;
            if *alone && !first.is_empty() {
                return Some(first);
            }
            let others = alternatives.iter().enumerate().filter(|(at, _)| Some(*at) != *default);
            let others: Option<Vec<_>> = others.map(|(_, tree)| choose(tree)).collect();
            Some([first, others?.concat()].concat())
        }
        Tree::Join(filters, below) => {
            let mut all: Option<Vec<Chosen>> = None;
            // The first combines with all the others, as if these were joined already.
            for filter in filters.iter().rev() {
                let mut part = below.clone();
                let only = Statement::Only(filter.clone());
                part.each(&mut |leaf| leaf.statements.push(only.clone()));
                let part = choose(&part)?;
                all = match all {
                    None => Some(part),
                    Some(later) if later.len() * part.len() > MANY => return None,
                    Some(later) => {
                        let with = |one: &Chosen| -> Vec<_> {
                            later.iter().map(|other| one.join(other)).collect()
                        };
                        Some(part.iter().flat_map(with).collect())
                    }
                };
            }
            all
        }
    }
}

impl Combination {
    /// `None` if a filter drops it.
    fn choose(&self) -> Option<Chosen> {
        let labels: Vec<&Label> = self.heads.iter().flat_map(|head| &head.labels).collect();
        let mut applied = Vec::new();
        apply(&self.statements, &labels, &mut applied)?;
        let name: Vec<_> = labels.iter().map(ToString::to_string).collect();
        let shown = self.heads.iter().filter(|head| !head.hidden).flat_map(|head| &head.labels);
        let shortname: Vec<_> = shown.map(|label| label.name.clone()).collect();
        let mut deps = Vec::new();
        let mut outer = String::new();
        for head in &self.heads {
            deps.extend(head.deps.iter().map(|dep| format!("{outer}{dep}")));
            for label in &head.labels {
                outer = format!("{outer}{label}.");
            }
        }
        let own = [
            ("name", name.join(".")),
            ("shortname", shortname.join(".")),
            (
                "dep",
                format!(
                    "[{}]",
                    deps.iter().map(|dep| format!("'{dep}'")).collect::<Vec<_>>().join(", ")
                ),
            ),
        ];
        let dictionary = Dictionary::of(&applied, &own);
        Some(Chosen { name, shortname, deps, dictionary })
    }
}

/// Takes conditions apart and filters out; `None` if one of these drops the name.
fn apply(statements: &[Statement], name: &[&Label], applied: &mut Vec<Statement>) -> Option<()> {
    for statement in statements {
        match statement {
            Statement::Only(filter) if !filter.matches(name) => return None,
            Statement::No(filter) if filter.matches(name) => return None,
            Statement::Only(_) | Statement::No(_) => {}
            Statement::When { negated, filter, body } => {
                if filter.matches(name) != *negated {
                    apply(body, name, applied)?;
                }
            }
            other => applied.push(other.clone()),
        }
    }
    Some(())
}

/// The last suffix of a scope counts from its end on.
fn suffix_at_end(statement: &Statement) -> Statement {
    let Statement::When { negated, filter, body } = statement else { return statement.clone() };
    let is_suffix = |statement: &&Statement| matches!(statement, Statement::Suffix(_));
    let mut ended: Vec<_> = body.iter().filter(|s| !is_suffix(s)).map(suffix_at_end).collect();
    ended.extend(body.iter().rfind(is_suffix).cloned());
    Statement::When { negated: *negated, filter: filter.clone(), body: ended }
}

impl Filter {
    fn matches(&self, name: &[&Label]) -> bool {
        let labels_match = |wanted: &Label, found: &Label| {
            wanted.name == found.name && (wanted.block.is_none() || wanted.block == found.block)
        };
        let starts = |sequence: &[Label], rest: &[&Label]| {
            rest.len() >= sequence.len()
                && sequence.iter().zip(rest).all(|(a, b)| labels_match(a, b))
        };
        let sequence_matches =
            |sequence: &Vec<Label>| (0..name.len()).any(|at| starts(sequence, &name[at..]));
        self.0.iter().any(|word| word.iter().all(sequence_matches))
    }
}

impl Chosen {
    /// Both as one: what the names begin with is told once, and later keys override earlier ones.
    fn join(&self, later: &Self) -> Self {
        Self {
            name: join(&self.name, &later.name),
            shortname: join(&self.shortname, &later.shortname),
            deps: later.deps.clone(),
            dictionary: self.dictionary.overridden(&later.dictionary),
        }
    }
}

fn join(first: &[String], second: &[String]) -> Vec<String> {
    let most = first.len().min(second.len()).saturating_sub(1);
    let common = (0..most).take_while(|&at| first[at] == second[at]).count();
    [first, &second[common..]].concat()
}
