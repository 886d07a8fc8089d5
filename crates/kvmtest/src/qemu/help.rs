//! What QEMU tells only in the text of its help.

use std::collections::BTreeSet;

/// The options in the text of `-help`, without dashes.
pub(super) fn options(text: &str) -> BTreeSet<String> {
    let mut options = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with('-')) {
        // `-h or -help  display…`, `-fda/-fdb file  use…`, `--preconfig  pause…`
        let mut words = line.split([' ', '\t']);
        let first = words.next().unwrap_or_default();
        options.extend(first.split('/').filter_map(option));
        if words.next() == Some("or") {
            options.extend(words.next().and_then(option));
        }
    }
    options
}

/// The types in the text of `-netdev help`: a heading, then one a line.
pub(super) fn netdevs(text: &str) -> BTreeSet<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| is_word(line) && !line.ends_with(':'))
        .map(str::to_owned)
        .collect()
}

fn option(word: &str) -> Option<String> {
    let name = word.strip_prefix('-')?;
    let name = name.strip_prefix('-').unwrap_or(name);
    is_word(name).then(|| name.to_owned())
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(set: BTreeSet<String>) -> String {
        set.into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn options_are_what_begins_a_line() {
        let check = |text: &str, expected: &str| assert_eq!(joined(options(text)), expected);
        check("-h or -help     display this help and exit", "h help");
        check(
            "-machine [type=]name[,prop[=value][,...]]\n                -no is no option",
            "machine",
        );
        check("-fda/-fdb file  use 'file' as floppy disk 0/1 image", "fda fdb");
        check("--preconfig     pause QEMU\n-win2k-hack     use it", "preconfig win2k-hack");
        check("-no-hpet        disable HPET\n-no-hpet        again", "no-hpet");
        check("QEMU emulator\nusage: qemu [options]\n\n", "");
        check("-", "");
        check("--", "");
        check("-\u{1b}[31m", "");
    }

    #[test]
    fn netdev_types_follow_a_heading() {
        let check = |text: &str, expected: &str| assert_eq!(joined(netdevs(text)), expected);
        check("Available netdev backend types:\nsocket\nvhost-user\r\n", "socket vhost-user");
        check("", "");
    }
}
