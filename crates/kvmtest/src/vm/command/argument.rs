//! One argument of the command line, and how it is written so that no value can end it early.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// One option with its value, or a bare word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    /// An option without a value: `-S`.
    Flag(&'static str),
    /// An option with its value, already in the form that the option wants.
    Option(&'static str, String),
    /// `-device`, written at the end, when it is known in which of its two forms.
    Device(Device),
    /// A word of `extra_params`.
    Word(String),
}

impl Argument {
    /// An option that takes JSON, as `-blockdev` and `-object` do.
    pub(super) fn json(option: &'static str, value: &Value) -> Self {
        Self::Option(option, value.to_string())
    }
}

/// A device, with its properties as JSON has them: numbers and booleans must be such.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Device {
    /// The model.
    pub(super) driver: String,
    properties: Map<String, Value>,
    /// Properties in QEMU's option syntax, as a user gave them.
    pub(super) extra: Option<String>,
    /// The key that asked for this model, and its value, for the error if there is no such model.
    pub(super) asked_by: Option<(&'static str, String)>,
}

impl Device {
    /// A device of the model `driver`.
    pub(super) fn new(driver: impl Into<String>) -> Self {
        Self { driver: driver.into(), properties: Map::new(), extra: None, asked_by: None }
    }

    /// With `value` for the property `name`.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.properties.insert(name.to_owned(), value.into());
        self
    }

    /// With `value` for the property `name`, if there is a value.
    #[must_use]
    pub(super) fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With a user's own properties, in QEMU's option syntax.
    #[must_use]
    pub(super) fn extra(mut self, extra: Option<&str>) -> Self {
        self.extra = extra.map(|text| text.trim_start_matches(',').to_owned());
        self
    }

    /// Because `key` has the value `value`.
    #[must_use]
    pub(super) fn asked_by(mut self, key: &'static str, value: &str) -> Self {
        self.asked_by = Some((key, value.to_owned()));
        self
    }

    /// As JSON, which takes every value as it is.
    pub(super) fn json(&self) -> String {
        let mut object = Map::new();
        object.insert("driver".to_owned(), self.driver.clone().into());
        object.extend(self.properties.clone());
        Value::Object(object).to_string()
    }

    /// In QEMU's option syntax, with the user's own properties at the end, where they win.
    pub(super) fn options(&self) -> String {
        let mut options = Options::of(&self.driver);
        for (name, value) in &self.properties {
            options = match value {
                Value::String(text) => options.with(name, text),
                Value::Bool(on) => options.with(name, if *on { "on" } else { "off" }),
                other => options.with(name, &other.to_string()),
            };
        }
        options.verbatim(self.extra.as_deref()).finish()
    }
}

impl From<Device> for Argument {
    fn from(device: Device) -> Self {
        Self::Device(device)
    }
}

/// A value in QEMU's option syntax, `first,key=value,…`, in which a comma is doubled.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    text: String,
}

impl Options {
    /// Starts with a word without a key: `user`, `socket`.
    pub(super) fn of(first: &str) -> Self {
        Self { text: escape(first) }
    }

    /// With `key=value`.
    #[must_use]
    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        self.separate();
        let _ = write!(self.text, "{key}={}", escape(value));
        self
    }

    /// With `key=value`, if there is a value.
    #[must_use]
    pub(super) fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// With a user's own options, which are in this syntax already; a comma in front is legal.
    #[must_use]
    pub(super) fn verbatim(mut self, extra: Option<&str>) -> Self {
        let extra = extra.unwrap_or_default().trim_start_matches(',');
        if !extra.is_empty() {
            self.separate();
            self.text.push_str(extra);
        }
        self
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn separate(&mut self) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
    }
}

/// `text` with its commas doubled.
fn escape(text: &str) -> String {
    text.replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_cannot_start_an_option() {
        let text = Options::of("socket").with("path", "/a,b=c,,d").finish();
        assert_eq!(text, "socket,path=/a,,b=c,,,,d");
    }

    #[test]
    fn both_forms_of_a_device_say_the_same() {
        let device = Device::new("virtio-blk-pci")
            .with("id", "a,b")
            .with("bootindex", 1)
            .with("ats", true)
            .maybe("serial", None::<&str>);
        assert_eq!(
            device.json(),
            r#"{"driver":"virtio-blk-pci","id":"a,b","bootindex":1,"ats":true}"#
        );
        assert_eq!(device.options(), "virtio-blk-pci,id=a,,b,bootindex=1,ats=on");
        assert_eq!(
            device.extra(Some(",bootindex=2")).options(),
            "virtio-blk-pci,id=a,,b,bootindex=1,ats=on,bootindex=2"
        );
    }
}
