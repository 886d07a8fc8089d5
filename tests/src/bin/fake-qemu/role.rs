//! What the fake does wrong.

/// The part that the fake plays, named by the variable `FAKE_QEMU`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// All is well: a guest boots, lets people in, reboots and shuts down.
    Obeys,
    /// Is of a version that is too old.
    TooOld,
    /// Ends with words, already when it is asked what it can do.
    DiesWhenAsked,
    /// Ends with words, when it is to start a machine.
    Dies,
    /// Opens no socket.
    OpensNothing,
    /// Its monitors accept, and never greet.
    NeverGreets,
    /// Its monitors greet, and then say what is no JSON.
    GreetsWithGarbage,
    /// Hears neither `quit` nor SIGTERM.
    IgnoresSignals,
    /// The guest says nothing at all.
    Silent,
    /// The guest's kernel panics, and the console says so.
    Panics,
    /// The guest's kernel panics, and only the machine says so.
    PanicsQuietly,
    /// The firmware finds nothing to boot.
    FindsNoDisk,
    /// The guest powers off before anybody could log in.
    PowersOff,
    /// Is killed while a session runs a command.
    DiesInCommand,
    /// Is killed while its monitor executes `system_reset`.
    DiesInMonitor,
    /// The guest never answers a command.
    HangsInCommand,
    /// The guest ignores the power button and its own `shutdown`.
    StaysOn,
    /// The guest never comes back from a reboot.
    StaysAway,
    /// The guest prints megabytes of escapes and bytes that are no text before its login, and
    /// again in a command.
    Floods,
    /// The same, and then the kernel panics.
    FloodsAndPanics,
}

const NAMES: [(&str, Role); 19] = [
    ("too-old", Role::TooOld),
    ("dies-when-asked", Role::DiesWhenAsked),
    ("dies", Role::Dies),
    ("opens-nothing", Role::OpensNothing),
    ("never-greets", Role::NeverGreets),
    ("greets-with-garbage", Role::GreetsWithGarbage),
    ("ignores-signals", Role::IgnoresSignals),
    ("silent", Role::Silent),
    ("panics", Role::Panics),
    ("panics-quietly", Role::PanicsQuietly),
    ("finds-no-disk", Role::FindsNoDisk),
    ("powers-off", Role::PowersOff),
    ("dies-in-command", Role::DiesInCommand),
    ("dies-in-monitor", Role::DiesInMonitor),
    ("hangs-in-command", Role::HangsInCommand),
    ("stays-on", Role::StaysOn),
    ("stays-away", Role::StaysAway),
    ("floods", Role::Floods),
    ("floods-and-panics", Role::FloodsAndPanics),
];

impl Role {
    /// The role that the environment names; a name that is none is a mistake of the test.
    pub(crate) fn from_environment() -> Self {
        match std::env::var("FAKE_QEMU") {
            Err(_) => Self::Obeys,
            Ok(wanted) => {
                let found = NAMES.iter().find(|(name, _)| *name == wanted);
                found.unwrap_or_else(|| panic!("no role is called `{wanted}`")).1
            }
        }
    }
}
