//! The names most like a mistyped one.

/// Up to `count` of `names`, those most like `wanted` first; none that is nothing like it.
pub(super) fn nearest<'a>(wanted: &str, names: &[&'a str], count: usize) -> Vec<&'a str> {
    let mut ranked: Vec<(usize, &str)> = names
        .iter()
        .map(|name| (distance(wanted, name), *name))
        .filter(|(distance, name)| *distance <= limit(wanted) || related(wanted, name))
        .collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked.into_iter().take(count).map(|(_, name)| name).collect()
}

/// A third of the letters may differ.
fn limit(wanted: &str) -> usize {
    wanted.len() / 3 + 1
}

fn related(wanted: &str, name: &str) -> bool {
    wanted.len() > 2 && (name.starts_with(wanted) || wanted.starts_with(name) && name.len() > 2)
}

/// How many letters must be put in, taken out or changed.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_alike_come_first() {
        let names = ["e1000", "e1000e", "rtl8139", "virtio-net-pci", "virtio-net-device"];
        assert_eq!(nearest("rtl8193", &names, 3), ["rtl8139"]);
        assert_eq!(nearest("e1000x", &names, 3), ["e1000", "e1000e"]);
        assert_eq!(nearest("virtio-net", &names, 3), ["virtio-net-pci", "virtio-net-device"]);
        assert_eq!(nearest("gadget", &names, 3), [] as [&str; 0]);
    }
}
