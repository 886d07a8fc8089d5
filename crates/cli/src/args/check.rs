//! What is wrong with a command line that the parser of arguments cannot see.

use clap::CommandFactory;
use clap::error::ErrorKind;
use kvmtest_runner::plan::{Wanted, check_filter};

use super::{Args, Command, ReportFormat};

impl Args {
    /// The arguments, or what is wrong with them. Words are not looked at while they are parsed,
    /// because one that is still being typed may keep no shell from completing another.
    /// `typed` is what was parsed.
    pub(crate) fn checked(self, typed: &[String]) -> Result<Self, clap::Error> {
        let (name, wrong) = match &self.command {
            Command::Run(run) => ("run", apart(typed).or_else(|| words(&run.selection.what))),
            Command::List(list) => ("list", words(&list.selection.what)),
            Command::Show(show) => ("show", words(&show.selection.what)),
            Command::History(history) => ("history", filters(&history.tests)),
            Command::Report(report) => {
                let is_console = report.format == ReportFormat::Console;
                let detail = report.detail.quiet || report.detail.verbose;
                let wrong = "`--quiet` and `--verbose` say how much `--format console` shows; all \
                             other formats have everything";
                ("report", (detail && !is_console).then(|| wrong.to_owned()))
            }
            _ => return Ok(self),
        };
        let Some(wrong) = wrong else { return Ok(self) };
        let mut command = Self::command();
        // Only then a command of commands knows how it is called.
        command.build();
        let command = command.find_subcommand_mut(name).expect("the name is the command's");
        Err(command.error(ErrorKind::ValueValidation, wrong))
    }
}

/// A value that stands after a blank: an option that may go without one takes it for a word of
/// its own.
fn apart(typed: &[String]) -> Option<String> {
    let is_number = |value: &str| value.parse::<u64>().is_ok();
    let pairs = typed.iter().zip(typed.iter().skip(1)).take_while(|(option, _)| *option != "--");
    let mut apart = pairs.filter(|(option, value)| match option.as_str() {
        "--fail-fast" | "--shuffle" => is_number(value),
        "--rerun" => value.contains('/') && !value.starts_with('-') && !value.contains('='),
        _ => false,
    });
    let (option, value) = apart.next()?;
    let value = value.escape_debug();
    Some(format!(
        "`{value}` after `{option}` is a word of its own: did you mean `{option}={value}`? (if not, \
         write it before the option)"
    ))
}

fn words(what: &[String]) -> Option<String> {
    Wanted::parse(what).err().map(|error| error.to_string())
}

fn filters(tests: &[String]) -> Option<String> {
    tests.iter().find_map(|text| check_filter(text).err()).map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn what_cannot_be_understood_is_refused() {
        let check = |words: &[&str], part: &str| {
            let typed = ["kvmtest"].iter().chain(words);
            let own: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let error = Args::try_parse_from(typed).expect(part).checked(&own).expect_err(part);
            let text = error.to_string();
            assert!(text.contains(part) && !text.contains('\x1b'), "{text}");
            assert!(text.contains(&format!("Usage: kvmtest {}", words[0])), "{text}");
            assert_eq!(error.exit_code(), 2);
        };
        for command in ["run", "list", "show"] {
            for filter in ["", "..", "boot,,shutdown", "boot,", "a...b", "!boot", "a*", "\x1b[2J"] {
                check(&[command, "boot", filter], "`");
            }
            check(&[command, "boot,,x"], "`boot,,x` is no filter: ");
        }
        check(&["run", "--fail-fast", "2"], "did you mean `--fail-fast=2`?");
        check(&["run", "boot", "--shuffle", "5"], "did you mean `--shuffle=5`?");
        check(&["run", "--rerun", "results/latest"], "did you mean `--rerun=results/latest`?");
        check(&["run", "--rerun", "/x\x1b", "boot"], "did you mean `--rerun=/x");
        check(&["history", "a*"], "`a*` is no filter of tests");
        check(&["report", "-q", "--format", "json"], "`--format console`");
        check(&["report", "--verbose", "-f", "html"], "`--format console`");
    }

    #[test]
    fn all_else_is_taken() {
        for words in [
            &["run", "boot", "mem = 1", "a..b, c"][..],
            &["run", "--fail-fast", "boot"],
            &["run", "2", "--fail-fast", "--shuffle", "smp2"],
            &["run", "--rerun", "boot", "--fail-fast=2"],
            &["run", "--rerun=results/latest", "5"],
            &["history", "(os=f)..boot"],
            &["report", "-q"],
            &["report", "--format", "json"],
            &["doctor"],
        ] {
            let args = Args::try_parse_from(["kvmtest"].iter().chain(words)).expect("parsed");
            let own: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            args.checked(&own).expect(words[0]);
        }
    }
}
