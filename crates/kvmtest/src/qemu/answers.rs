//! From the answers of a QEMU to its capabilities: pure, and lenient, for every version answers
//! a little differently. What cannot be understood is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{Capabilities, Machine, Version, help};

/// Everything that a QEMU was asked.
pub(super) struct Answers {
    pub(super) version: Version,
    /// `package` of the greeting's version.
    pub(super) package: String,
    /// By the name of the question.
    pub(super) qmp: HashMap<&'static str, Value>,
    /// The text of `-help`.
    pub(super) help: String,
    /// The text of `-netdev help`.
    pub(super) netdev_help: String,
}

impl Answers {
    pub(super) fn into_capabilities(self) -> Capabilities {
        let schema = Schema::new(self.get("query-qmp-schema"));
        let mut netdevs = help::netdevs(&self.netdev_help);
        if netdevs.is_empty() {
            // The schema also names what was not compiled in, so it is the second choice.
            netdevs = schema.cases("netdev_add", &["type"]);
        }
        Capabilities {
            version: self.version,
            package: self.package.trim().to_owned(),
            target: text(self.get("query-target"), "arch").unwrap_or_default(),
            accelerators: stripped(self.get("accelerators"), |name| name.strip_suffix("-accel")),
            machines: items(self.get("query-machines")).filter_map(machine).collect(),
            cpus: names(self.get("query-cpu-definitions")),
            devices: names(self.get("devices")),
            objects: names(self.get("objects")),
            chardevs: stripped(self.get("chardevs"), |name| name.strip_prefix("chardev-")),
            netdevs,
            block_drivers: schema.cases("blockdev-add", &["driver"]),
            migration: schema.cases("migrate-set-capabilities", &["capabilities", "capability"]),
            commands: schema.commands(),
            events: schema.events(),
            options: options(&self.help, self.get("query-command-line-options")),
        }
    }

    fn get(&self, question: &str) -> &Value {
        self.qmp.get(question).unwrap_or(&Value::Null)
    }
}

/// The types of QMP, by name.
struct Schema<'a> {
    entities: HashMap<&'a str, &'a Value>,
}

impl<'a> Schema<'a> {
    fn new(answer: &'a Value) -> Self {
        let named = |entity: &'a Value| Some((entity.get("name")?.as_str()?, entity));
        Self { entities: items(answer).filter_map(named).collect() }
    }

    fn commands(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.of_kind("command")
            .map(|(name, command)| {
                let arguments = self.follow(command, "arg-type").map(|object| &object["members"]);
                (name.to_owned(), arguments.map(names).unwrap_or_default())
            })
            .collect()
    }

    fn events(&self) -> BTreeSet<String> {
        self.of_kind("event").map(|(name, _)| name.to_owned()).collect()
    }

    /// The values of the enumeration that is found by following members from a command's argument.
    fn cases(&self, command: &str, members: &[&str]) -> BTreeSet<String> {
        let found = || {
            let mut entity = self.follow(self.entities.get(command)?, "arg-type")?;
            for member in members {
                let described = items(&entity["members"])
                    .find(|one| one.get("name").and_then(Value::as_str) == Some(member))?;
                entity = self.follow(described, "type")?;
                if entity.get("meta-type").and_then(Value::as_str) == Some("array") {
                    entity = self.follow(entity, "element-type")?;
                }
            }
            Some(entity)
        };
        let Some(entity) = found() else { return BTreeSet::new() };
        // `values` is the older description, `members` the newer one; most versions give both.
        let values = items(&entity["values"]).filter_map(Value::as_str).map(str::to_owned);
        values.chain(names(&entity["members"])).collect()
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.entities
            .iter()
            .filter(move |(_, entity)| {
                entity.get("meta-type").and_then(Value::as_str) == Some(kind)
            })
            .map(|(name, entity)| (*name, *entity))
    }

    fn follow(&self, entity: &Value, key: &str) -> Option<&'a Value> {
        self.entities.get(entity.get(key)?.as_str()?).copied()
    }
}

fn machine(value: &Value) -> Option<Machine> {
    let flag = |key| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    Some(Machine {
        name: text(value, "name")?,
        alias: text(value, "alias"),
        is_default: flag("is-default"),
        deprecated: flag("deprecated"),
        max_cpus: value.get("cpu-max").and_then(Value::as_u64).unwrap_or(1),
    })
}

/// The help names all options; the list in QMP names the parameters of some.
fn options(help: &str, listed: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut options: BTreeMap<_, _> =
        help::options(help).into_iter().map(|name| (name, BTreeSet::new())).collect();
    for group in items(listed) {
        let Some(name) = text(group, "option").filter(|name| !name.is_empty()) else { continue };
        // Some groups are not called as their options are.
        let name = match name.as_str() {
            "smp-opts" => "smp".to_owned(),
            "boot-opts" => "boot".to_owned(),
            "memory" => "m".to_owned(),
            _ => name,
        };
        options.entry(name).or_default().extend(names(&group["parameters"]));
    }
    options
}

fn stripped(answer: &Value, strip: impl Fn(&str) -> Option<&str>) -> BTreeSet<String> {
    names(answer).iter().filter_map(|name| strip(name)).map(str::to_owned).collect()
}

fn names(answer: &Value) -> BTreeSet<String> {
    items(answer).filter_map(|item| text(item, "name")).collect()
}

fn items(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.as_array().into_iter().flatten()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn capabilities(qmp: &[(&'static str, Value)]) -> Capabilities {
        Answers {
            version: Version::new(9, 0, 0),
            package: " some build\n".to_owned(),
            qmp: qmp.iter().cloned().collect(),
            help: "-no-hpet   disable HPET\n-machine x\n".to_owned(),
            netdev_help: String::new(),
        }
        .into_capabilities()
    }

    fn joined(set: &BTreeSet<String>) -> String {
        set.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn no_answers_are_no_capabilities() {
        let nothing = capabilities(&[]);
        assert!(nothing.machines.is_empty() && nothing.commands.is_empty());
        assert_eq!(nothing.package(), "some build");
    }

    #[test]
    fn answers_of_other_shapes_are_left_out() {
        let odd = capabilities(&[
            ("devices", json!({"name": "e1000"})),
            ("query-machines", json!([1, null, {"alias": "q35"}, {"name": 5}])),
            (
                "query-qmp-schema",
                json!([{"name": "a", "meta-type": 3}, "x", {"meta-type": "event"}]),
            ),
            ("query-command-line-options", json!([{"option": ""}, {"parameters": []}])),
        ]);
        assert!(!odd.has_device("e1000"));
        assert!(odd.machines.is_empty() && odd.events.is_empty());
        assert_eq!(odd.options.keys().collect::<Vec<_>>(), ["machine", "no-hpet"]);
    }

    #[test]
    fn the_schema_is_followed_by_its_numbers() {
        let of = capabilities(&[(
            "query-qmp-schema",
            json!([
                {"name": "netdev_add", "meta-type": "command", "arg-type": "1"},
                {"name": "1", "meta-type": "object", "members": [
                    {"name": "id", "type": "str"}, {"name": "type", "type": "2"}]},
                {"name": "2", "meta-type": "enum", "values": ["user", "tap"]},
                {"name": "migrate-set-capabilities", "meta-type": "command", "arg-type": "3"},
                {"name": "3", "meta-type": "object", "members": [
                    {"name": "capabilities", "type": "[4]"}]},
                {"name": "[4]", "meta-type": "array", "element-type": "4"},
                {"name": "4", "meta-type": "object", "members": [{"name": "capability", "type": "5"}]},
                {"name": "5", "meta-type": "enum", "members": [{"name": "xbzrle"}]},
                {"name": "stop", "meta-type": "command", "arg-type": "0"},
                {"name": "STOP", "meta-type": "event", "arg-type": "0"},
            ]),
        )]);
        assert_eq!(joined(&of.netdevs), "tap user");
        assert!(of.has_migration_capability("xbzrle"));
        assert!(of.has_argument("netdev_add", "id") && !of.has_argument("netdev_add", "x"));
        assert!(of.has_command("stop") && !of.has_argument("stop", "id"));
        assert!(of.has_event("STOP") && !of.has_event("stop") && !of.has_command("STOP"));
    }

    #[test]
    fn a_schema_that_leads_nowhere_or_in_a_circle_ends() {
        let of = capabilities(&[(
            "query-qmp-schema",
            json!([
                {"name": "netdev_add", "meta-type": "command", "arg-type": "1"},
                {"name": "1", "meta-type": "array", "element-type": "1",
                    "members": [{"name": "type", "type": "1"}]},
                {"name": "blockdev-add", "meta-type": "command", "arg-type": "99"},
            ]),
        )]);
        assert!(!of.has_block_driver("qcow2"));
        assert!(of.has_command("blockdev-add"));
    }

    #[test]
    fn machines_have_names_and_aliases() {
        let of = capabilities(&[(
            "query-machines",
            json!([
                {"name": "pc-q35-9.0", "alias": "q35", "cpu-max": 288, "deprecated": false},
                {"name": "pc-i440fx-9.0", "alias": "pc", "is-default": true, "cpu-max": 255},
                {"name": "none"},
            ]),
        )]);
        assert_eq!(of.machine("q35").expect("an alias").name, "pc-q35-9.0");
        assert_eq!(of.machine("pc-q35-9.0").expect("a name").max_cpus, 288);
        assert!(of.machine("pc").expect("an alias").is_default);
        assert!(of.has_machine("none") && !of.has_machine("virt"));
    }

    #[test]
    fn prefixes_and_suffixes_of_types_are_taken_off() {
        let of = capabilities(&[
            ("accelerators", json!([{"name": "tcg-accel"}, {"name": "accel"}])),
            ("chardevs", json!([{"name": "chardev-socket"}, {"name": "other"}])),
        ]);
        assert!(of.has_accelerator("tcg") && !of.has_accelerator("kvm"));
        assert_eq!(joined(&of.chardevs), "socket");
    }

    #[test]
    fn options_come_from_the_help_and_their_parameters_from_qmp() {
        let of = capabilities(&[(
            "query-command-line-options",
            json!([
                {"option": "machine", "parameters": [{"name": "hpet"}]},
                {"option": "smp-opts", "parameters": [{"name": "cores"}]},
            ]),
        )]);
        assert!(of.has_option("no-hpet") && !of.has_option("nodefaults"));
        assert!(of.has_option_parameter("machine", "hpet"));
        assert!(of.has_option_parameter("smp", "cores"));
        assert!(!of.has_option_parameter("no-hpet", "hpet"));
    }
}
