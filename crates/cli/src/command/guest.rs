//! `kvmtest guest`: builds, lists and removes guests.

use kvmtest::Result;
use kvmtest::guest::GuestStore;

use crate::args::Guest;
use crate::terminal::{note, say, table};

pub(super) fn execute(command: Guest) -> Result<u8> {
    let store = GuestStore::open()?;
    match command {
        Guest::Build { names } => build(&store, &names),
        Guest::List => list(&store),
        Guest::Rm { names } => remove(&store, &names),
    }
}

fn build(store: &GuestStore, names: &[String]) -> Result<u8> {
    for name in names {
        let guest = store.build(name, &mut |step| note(format!("{name}: {step}")))?;
        say(format!("guest `{name}` is ready: {}", guest.kernel.parent().unwrap_or(&guest.kernel)));
    }
    Ok(0)
}

fn list(store: &GuestStore) -> Result<u8> {
    let mut rows = vec![["NAME", "STATE", "SIZE", "WHAT IT IS"].map(str::to_owned).to_vec()];
    for status in store.list()? {
        rows.push(vec![
            status.name.to_owned(),
            status.state().to_owned(),
            status.bytes.map(|bytes| format!("{} MiB", bytes >> 20)).unwrap_or_default(),
            status.description.to_owned(),
        ]);
    }
    say(table(&rows).trim_end());
    Ok(0)
}

fn remove(store: &GuestStore, names: &[String]) -> Result<u8> {
    for name in names {
        if store.remove(name)? {
            say(format!("removed: {name}"));
        } else {
            say(format!("was not built: {name}"));
        }
    }
    Ok(0)
}
