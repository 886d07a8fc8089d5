//! Statements applied one after another to a list of keys and values.

use crate::statement::Statement;

/// Keys with values, in the order in which the keys came to be.
#[derive(Clone, Default)]
pub(crate) struct Dictionary(Vec<Field>);

#[derive(Clone)]
struct Field {
    key: String,
    /// The suffixes that the key got, one after another.
    suffixes: Vec<String>,
    value: String,
}

impl Field {
    /// The key with its suffixes, the last one first.
    fn written(&self) -> String {
        let suffixes: String = self.suffixes.iter().rev().map(String::as_str).collect();
        format!("{}{suffixes}", self.key)
    }
}

impl Dictionary {
    /// `own` are the keys that the language itself sets: they can be read, and are not listed.
    pub(crate) fn of(statements: &[Statement], own: &[(&str, String)]) -> Self {
        let mut fields = Self::default();
        for statement in statements {
            match statement {
                Statement::Assign { key, operator, value } => {
                    fields.assign(key, operator, value, own);
                }
                Statement::Delete(key) => {
                    fields.0.retain(|f| f.key != *key || !f.suffixes.is_empty());
                }
                Statement::Suffix(suffix) => {
                    fields.0.iter_mut().for_each(|field| field.suffixes.push(suffix.clone()));
                }
                other => unreachable!("not an assignment: {other:?}"),
            }
        }
        fields.bound();
        fields
    }

    /// The fields of both, where the later ones win.
    pub(crate) fn overridden(&self, later: &Self) -> Self {
        let mut all = self.clone();
        for field in &later.0 {
            let same = |old: &&mut Field| old.key == field.key && old.suffixes == field.suffixes;
            match all.0.iter_mut().find(same) {
                Some(old) => *old = field.clone(),
                None => all.0.push(field.clone()),
            }
        }
        all
    }

    /// What is left to show: suffixes only where values differ, and these last.
    pub(crate) fn params(&self) -> Vec<(String, String)> {
        let mut shown: Vec<(String, String)> = Vec::new();
        let mut show =
            |key: String, value: &String| match shown.iter_mut().find(|(other, _)| *other == key) {
                Some(old) => old.1.clone_from(value),
                None => shown.push((key, value.clone())),
            };
        let (plain, suffixed): (Vec<&Field>, Vec<&Field>) =
            self.0.iter().partition(|field| field.suffixes.is_empty());
        for field in plain.into_iter().chain(suffixed) {
            let rivals = || self.0.iter().filter(|other| other.key == field.key);
            let agree = rivals().all(|other| other.value == field.value);
            let plain = rivals().find(|other| other.suffixes.is_empty());
            match plain {
                _ if field.suffixes.is_empty() => show(field.key.clone(), &field.value),
                Some(plain) if plain.value == field.value => {}
                None if agree => show(field.key.clone(), &field.value),
                _ => show(field.written(), &field.value),
            }
        }
        shown
    }

    fn plain(&mut self, key: &str) -> Option<&mut Field> {
        self.0.iter_mut().find(|field| field.key == key && field.suffixes.is_empty())
    }

    fn assign(&mut self, key: &str, operator: &str, value: &str, own: &[(&str, String)]) {
        let value = self.substituted(unquoted(value), own);
        let change = |field: &mut Field| match operator {
            "=" | "?=" => field.value.clone_from(&value),
            "+=" | "?+=" => field.value = format!("{}{value}", field.value),
            "<=" | "?<=" => field.value = format!("{value}{}", field.value),
            _ => {}
        };
        if operator.starts_with('?') {
            let pattern = regex::Regex::new(&format!("^(?:{key}$)")).expect("the pattern is legal");
            self.0.iter_mut().filter(|field| pattern.is_match(&field.written())).for_each(change);
        } else if let Some(field) = self.plain(key) {
            change(field);
        } else {
            self.0.push(Field { key: key.into(), suffixes: Vec::new(), value });
        }
    }

    /// Replaces each `${key}` up to the first one that nobody knows.
    fn substituted(&self, value: &str, own: &[(&str, String)]) -> String {
        let mut done = String::new();
        let mut rest = value;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((key, after)) = after.split_once('}') else { break };
            let Some(found) = self.lookup(key, own) else { break };
            done = done + before + &found;
            rest = after;
        }
        done + rest
    }

    fn lookup(&self, key: &str, own: &[(&str, String)]) -> Option<String> {
        let all = || self.0.iter().filter(|field| field.key == key);
        let found = all().find(|field| field.suffixes.is_empty()).or_else(|| {
            let first = all().next()?;
            all().all(|field| field.value == first.value).then_some(first)
        });
        let of_language =
            || own.iter().find(|(own, _)| *own == key).map(|(_, value)| value.clone());
        found.map(|field| field.value.clone()).or_else(of_language)
    }

    /// `X_min`, `X_max` and `X_fixed`, each against the value that X had before any of them.
    fn bound(&mut self) {
        let mut changes = Vec::new();
        for field in self.0.iter().filter(|field| field.suffixes.is_empty()) {
            let endings = ["_max", "_min", "_fixed"];
            let Some(ending) = endings.into_iter().find(|e| field.key.ends_with(e)) else {
                continue;
            };
            let base = field.key.split(ending).next().unwrap_or_default();
            let old = self.0.iter().find(|f| f.key == base && f.suffixes.is_empty());
            let wins = |old: &str| match (ending, number(old), number(&field.value)) {
                ("_fixed", _, _) => true,
                ("_max", Some(old), Some(bound)) => old > bound,
                (_, Some(old), Some(bound)) => old < bound,
                _ => false,
            };
            if old.is_none_or(|old| wins(&old.value)) {
                changes.push((base.to_owned(), field.value.clone()));
            }
        }
        for (key, value) in changes {
            match self.plain(&key) {
                Some(field) => field.value = value,
                None => self.0.push(Field { key, suffixes: Vec::new(), value }),
            }
        }
    }
}

/// Sizes in bytes; a number without a unit counts mebibytes.
fn number(value: &str) -> Option<i128> {
    let value = value.to_uppercase();
    let units = [("T", 40), ("G", 30), ("M", 20), ("K", 10), ("B", 0), ("", 20)];
    let (digits, power) =
        units.into_iter().find_map(|(unit, power)| Some((value.strip_suffix(unit)?, power)))?;
    digits.parse::<i128>().ok().map(|number| number.saturating_mul(1 << power))
}

fn unquoted(value: &str) -> &str {
    let inside = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}
