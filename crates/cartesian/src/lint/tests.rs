use super::outline::Outline;
use super::search::{Answer, Question, Search, everything};
use crate::plan::Plan;
use crate::texts;
use crate::tree::filter::FilterId;
use crate::tree::{Item, NodeId};
use crate::walk::dead::Dead;
use crate::walk::{Leaf, Walk};
use crate::{Config, NoInclude, Parser, Source};
use proptest::prelude::*;

fn parse(text: &str) -> Config {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", text), &mut NoInclude);
    parser.finish().0
}

/// All paths, as enumeration finds them.
fn paths(plan: &Plan) -> Vec<Box<[NodeId]>> {
    let mut walk = Walk::new(plan);
    let mut paths = Vec::new();
    while walk.advance(&mut Dead::default()) {
        let Leaf::Path(path) = walk.leaf() else { unreachable!("the texts join nothing") };
        paths.push(path);
    }
    paths
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_search_finds_what_enumeration_finds(lines in texts::text(), filter in texts::filter()) {
        let config = parse(&format!("{}\nonly {filter}\n", lines.join("\n")));
        let plan = &config.plan;
        let outline = Outline::new(plan);
        let mut search = Search::new(plan, &outline);
        let paths = paths(plan);
        let all = everything(plan);
        let last = FilterId(all.0 - 1);
        for entry in (0..outline.len()).map(Some).chain([None]) {
            let is_through = |path: &[NodeId]| {
                let node = |entry: u32| plan.tree.spans.entries[entry as usize].node;
                entry.is_none_or(|entry| path.contains(&node(entry)))
            };
            let some = paths.iter().any(|path| is_through(path));
            let expected = if some { Answer::Yes } else { Answer::Never };
            let whole = Question { through: entry, demands: &[], until: all, selections: true };
            prop_assert_eq!(search.ask(&whole), expected, "{:?}", entry);
            let demands = [Item::Only(last)];
            let asked = Question { through: entry, demands: &demands, until: last, selections: true };
            prop_assert_eq!(search.ask(&asked), expected, "{:?} with a demand", entry);
        }
    }
}
