//! What migration can do in a binary that runs: names, and of what kind the values are.

use kvmtest_cartesian::nearest;
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::monitor::QmpMonitor;
use crate::params;

/// The capabilities that there are, and whether they are on.
pub(super) struct Capabilities(Vec<(String, bool)>);

impl Capabilities {
    pub(super) fn ask(monitor: &QmpMonitor) -> Result<Self> {
        let answer = monitor.cmd("query-migrate-capabilities", Value::Null)?;
        let read = |item: &Value| {
            let name = item["capability"].as_str()?.to_owned();
            Some((name, item["state"].as_bool().unwrap_or_default()))
        };
        Ok(Self(answer.as_array().into_iter().flatten().filter_map(read).collect()))
    }

    /// Whether `name` is on, if there is such a capability.
    pub(super) fn find(&self, name: &str) -> Option<bool> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, state)| *state)
    }

    /// The same; it must be there.
    pub(super) fn get(&self, name: &str) -> Result<bool> {
        let names = || self.0.iter().map(|(name, _)| name.as_str());
        self.find(name).ok_or_else(|| unknown("capability", name, names()))
    }

    /// The names of those that are on.
    pub(super) fn on(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, state)| *state).map(|(name, _)| name.as_str())
    }
}

/// The parameters that there are, with their values; those that have none are in the schema only.
pub(super) struct Parameters<'a> {
    monitor: &'a QmpMonitor,
    values: Map<String, Value>,
    /// Asked for when something is not among the values.
    schema: Option<Vec<(String, Kind)>>,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Bool,
    Text,
    /// What QEMU may judge itself.
    Other,
}

impl<'a> Parameters<'a> {
    pub(super) fn ask(monitor: &'a QmpMonitor) -> Result<Self> {
        let answer = monitor.cmd("query-migrate-parameters", Value::Null)?;
        let values = answer.as_object().cloned().unwrap_or_default();
        Ok(Self { monitor, values, schema: None })
    }

    /// The value that `name` has now, if it has one.
    pub(super) fn find(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// `value` as the parameter `name` takes it. Text is read where that takes something else.
    pub(super) fn fit(&mut self, name: &str, value: &Value) -> Result<Value> {
        let kind = self.kind(name)?;
        let (fitting, what) = match kind {
            // None of them is below 0, and QEMU takes what is for something very large.
            Kind::Number if value.as_f64().is_some_and(|it| it < 0.0) => (None, "0 or more"),
            Kind::Number => (number(value), "a number"),
            Kind::Bool => (switch(value), "`on` or `off`"),
            Kind::Text => (text(value), "text"),
            Kind::Other => (Some(value.clone()), "something else"),
        };
        fitting.ok_or_else(|| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let message = format!("the migration parameter `{name}` must be {what}: `{value}`");
            Error::new(ErrorKind::Params, message)
        })
    }

    fn kind(&mut self, name: &str) -> Result<Kind> {
        let kind = match self.values.get(name) {
            Some(Value::Number(_)) => Some(Kind::Number),
            Some(Value::Bool(_)) => Some(Kind::Bool),
            Some(Value::String(_)) => Some(Kind::Text),
            Some(_) => Some(Kind::Other),
            None => None,
        };
        if let Some(kind) = kind {
            return Ok(kind);
        }
        if self.schema.is_none() {
            let answer = self.monitor.cmd("query-qmp-schema", Value::Null)?;
            self.schema = Some(described(&answer));
        }
        let schema = self.schema.iter().flatten();
        if let Some((_, kind)) = schema.clone().find(|(known, _)| known == name) {
            return Ok(*kind);
        }
        let names = self.values.keys().map(String::as_str);
        Err(unknown("parameter", name, names.chain(schema.map(|(name, _)| name.as_str()))))
    }
}

/// The parameters of `migrate-set-parameters` by the schema of QMP.
fn described(schema: &Value) -> Vec<(String, Kind)> {
    let entities = || schema.as_array().into_iter().flatten();
    let find = |name: &Value| entities().find(|entity| !name.is_null() && entity["name"] == *name);
    let command = entities().find(|entity| {
        entity["name"] == "migrate-set-parameters" && entity["meta-type"] == "command"
    });
    let Some(arguments) = command.and_then(|command| find(&command["arg-type"])) else {
        return Vec::new();
    };
    let members = arguments["members"].as_array().into_iter().flatten();
    let read = |member: &Value| {
        let kind = find(&member["type"]).map_or(Kind::Other, |entity| {
            match (entity["meta-type"].as_str(), entity["json-type"].as_str()) {
                (_, Some("int" | "number")) => Kind::Number,
                (_, Some("boolean")) => Kind::Bool,
                // An alternate is text or null.
                (_, Some("string")) | (Some("enum" | "alternate"), _) => Kind::Text,
                _ => Kind::Other,
            }
        });
        Some((member["name"].as_str()?.to_owned(), kind))
    };
    members.filter_map(read).collect()
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => params::size(text, 1).map(Into::into),
        _ => None,
    }
}

fn switch(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::String(text) => match text.as_str() {
            "on" | "yes" | "true" => Some(true.into()),
            "off" | "no" | "false" => Some(false.into()),
            _ => None,
        },
        _ => None,
    }
}

fn text(value: &Value) -> Option<Value> {
    match value {
        Value::String(_) => Some(value.clone()),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

fn unknown<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let like = nearest(name, names, 3);
    let hint = match like.join("`, `") {
        like if like.is_empty() => String::new(),
        like => format!(", did you mean `{like}`?"),
    };
    let message = format!("this QEMU has no migration {what} `{name}`{hint}");
    Error::new(ErrorKind::Params, message)
}
