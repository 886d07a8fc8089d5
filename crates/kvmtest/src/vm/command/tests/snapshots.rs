//! The command lines of the cases, written down. `INSTA_UPDATE=always cargo test -p kvmtest
//! snapshots` writes them anew; the difference is then to be read.

use super::bed::{line, params};
use super::cases::CASES;

#[test]
fn command_lines() {
    for case in CASES {
        let line =
            line(&params(case.params)).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let text = super::super::script::lines(line.program.as_str(), &line.args).join("\n");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(case.name, text);
        });
    }
}

#[test]
fn scripts() {
    let line = line(&params("guest = small\nx11_display = :0\nkernel_params_extra = a='b c'"))
        .expect("a command line");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("script", line.script());
    });
}
