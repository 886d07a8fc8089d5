//! What a person sees and does at a terminal while tests run.

use kvmtest_tests::{Sandbox, Terminal};

#[test]
fn look() {
    for columns in [40, 80, 200] {
        let sandbox = Sandbox::new();
        let what =
            ["boot", "reboot", "shutdown", "login_timeout = 3", "slow_after = 1", "--jobs", "3"];
        let command = sandbox.fake_run("silent", &what);
        let mut terminal = Terminal::start(&command, columns);
        let ended = terminal.end();
        std::fs::write(format!("/tmp/w/s4/look-{columns}"), ended.stdout).expect("x");
    }
}
