//! From variants to tests.

use kvmtest_runner::plan::{Choice, Plan, plan, select};

use crate::matrix::{Matrix, SHIPPED, known};

fn planned(text: &'static str) -> Plan {
    let known = known(SHIPPED);
    let selection = select(&Choice::default(), &Matrix(vec![("tests.cfg", text)]), &known);
    let selection = selection.unwrap_or_else(|refusal| panic!("{}", refusal.render(false)));
    plan(selection.variants(), &known)
}

#[test]
fn repetitions_are_tests_of_their_own_and_what_is_skipped_is_none() {
    let plan = planned(
        "type = boot\nvariants:\n    - a:\n    - b:\n        iterations = 3\n    - c:\n        \
         skip = yes\n    - d: a\n",
    );
    let tests: Vec<_> = plan
        .tests
        .iter()
        .map(|test| (test.number, test.shortname.as_str(), test.iteration))
        .collect();
    assert_eq!(tests, [(1, "a", 1), (2, "b", 1), (3, "b", 2), (4, "b", 3), (5, "d", 1)]);
    assert_eq!(plan.left_out, ["c"]);
    assert_eq!(plan.tests[4].dep, ["a"]);
    assert!(plan.tests.iter().all(|test| test.program.is_ok()));
}

#[test]
fn params_know_where_they_come_from() {
    let plan = planned("type = boot\nvariants:\n    - a:\n        mem = 9\n");
    let params = &plan.tests[0].params;
    assert_eq!(params.find("shortname"), Some("a"));
    assert_eq!(params.origin("mem").expect("a file").to_string(), "<shipped>/tests.cfg:4");
}

#[test]
fn a_variant_that_cannot_be_run_says_why() {
    #[track_caller]
    fn check(text: &'static str, part: &str) {
        let plan = planned(text);
        assert_eq!(plan.tests.len(), 1, "{text}");
        let why = plan.tests[0].program.as_ref().expect_err(text);
        assert!(why.contains(part), "`{why}` lacks `{part}`");
    }
    check("x = 1\n", "`type` is not set");
    check(
        "type = boto\n",
        "no subtest `boto` (`type`, <shipped>/tests.cfg:1); did you mean `boot`?",
    );
    check("type = boot\nskip = maybe\n", "`skip` must be `yes` or `no`: `maybe`");
    check("type = boot\nused_cpus = two\n", "`used_cpus` must be a whole number");
    check("type = boot\nalone = perhaps\n", "`alone` must be `yes` or `no`");
    check(
        "type = boot\nunstable = yes\n",
        "without a reason (<shipped>/tests.cfg:2): `unstable_reason`",
    );
    check("type = boot\nunstable = yes\nunstable_reason = ' '\n", "without a reason");
    check("type = boot\nunstable = sometimes\n", "`unstable` must be `yes` or `no`");
    check("type = boot\niterations = 0\n", "`iterations` must be between 1 and");
    check("type = boot\niterations = many\n", "`iterations` must be a whole number");
    check("type = boot\niterations = 99999999999999\n", "`iterations` must be between 1 and");
}
