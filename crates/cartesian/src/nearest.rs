//! The names that somebody may have meant.

/// The `count` names out of `names` that are most like `word`, the likest first; none that is
/// quite another word.
pub fn nearest<'a>(
    word: &str,
    names: impl IntoIterator<Item = &'a str>,
    count: usize,
) -> Vec<&'a str> {
    let limit = limit(word.chars().count());
    let letters = letters(word);
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            // A part that was typed whole counts as near: `migrate` for `migrate.tcp`.
            if word.len() >= 3 && name.contains(word) {
                return Some((1, name));
            }
            // A slip changes two letters at most: this spares most comparisons.
            let others = (letters ^ self::letters(name)).count_ones();
            if others as usize > 2 * limit {
                return None;
            }
            let distance = distance(word, name);
            (distance <= limit).then_some((distance, name))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(count);
    near.into_iter().map(|(_, name)| name).collect()
}

/// How many slips a word of this length may have: of a short one hardly anything would be left,
/// and the ends of two long words that begin alike may be quite different things.
fn limit(length: usize) -> usize {
    match length {
        0 | 1 => 0,
        2..=4 => 1,
        5..=11 => 2,
        _ => 3,
    }
}

/// Which letters a word has. Some share a bit.
fn letters(word: &str) -> u64 {
    word.chars().flat_map(char::to_lowercase).fold(0, |all, c| all | 1 << (u32::from(c) % 64))
}

/// How many characters have to be put in, taken out, replaced, or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.to_lowercase().chars().collect();
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let replaced = last[j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_slips() {
        let check = |one, other, expect| assert_eq!(distance(one, other), expect, "{one} {other}");
        check("", "", 0);
        check("boot", "boot", 0);
        check("Boot", "boot", 0);
        check("boto", "boot", 1);
        check("bot", "boot", 1);
        check("boot", "reboot", 2);
        check("ü", "", 1);
    }

    #[test]
    fn what_was_meant_comes_first() {
        let names = ["boot", "reboot", "shutdown", "migrate.tcp", "migrate.unix"];
        let check = |word, expect: &[&str]| assert_eq!(nearest(word, names, 3), expect, "{word}");
        check("boto", &["boot"]);
        check("shutdwon", &["shutdown"]);
        check("migrate", &["migrate.tcp", "migrate.unix"]);
        check("xyzzy", &[]);
        check("bo", &[]);
        let names = ["host_model", "Host_RHEL.m10", "fedora", "m"];
        let check = |word, expect: &[&str]| assert_eq!(nearest(word, names, 3), expect, "{word}");
        check("Host_REHL", &[]);
        check("Host_RHEL", &["Host_RHEL.m10"]);
        check("host_modle", &["host_model"]);
        check("Fedroa", &["fedora"]);
        check("x", &[]);
        check("", &[]);
    }
}
