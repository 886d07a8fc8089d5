use serde_json::json;

use super::*;
use crate::error::ErrorKind;

#[track_caller]
fn refused(room: &Room, which: &str, part: &str) {
    let before = room.store.list().expect("listed").len();
    let error = room.store.remove(which).expect_err(which);
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.to_string().contains(part), "{error}");
    assert!(!error.to_string().contains('\x1b'), "{error}");
    assert_eq!(room.store.list().expect("listed").len(), before);
}

#[test]
fn by_name_or_by_digest() {
    let room = Room::new();
    let recipes = ["256", "512"].map(|mem| recipe("booted").with("mem", mem));
    for recipe in &recipes {
        room.want(recipe);
    }
    room.want(&recipe("other"));
    let removed = room.store.remove(&recipe("other").digest()).expect("removed");
    assert_eq!(removed[0].name.as_deref(), Some("other"));
    let removed = room.store.remove(&recipes[0].digest()[..12].to_uppercase()).expect("removed");
    assert_eq!(removed[0].digest, recipes[0].digest());
    room.want(&recipes[0]);
    assert_eq!(room.store.remove("booted").expect("removed").len(), 2, "all of that name");
    room.has_nothing();
}

#[test]
fn what_nothing_is_called() {
    let room = Room::new();
    let digest = room.want(&recipe("booted")).0.digest().to_owned();
    let long = format!("{digest}0");
    for which in ["", "boot", "Booted", "..", "*", "/", &digest[..3], &long, "\x1b[2J", "öööö"]
    {
        refused(&room, which, "no state is called");
    }
    refused(&room, "nginx", "`kvmtest state list`");
}

#[test]
fn what_could_mean_several() {
    let room = Room::new();
    let state = room.want(&recipe("booted")).0;
    // Of the same beginning.
    let other = recipe("other");
    let like = format!("{}{}", &state.digest()[..8], &other.digest()[8..]);
    std::fs::create_dir(room.store.directory().join(&like)).expect("made");
    refused(&room, &state.digest()[..8], "begins several digests");
    refused(&room, &state.digest()[..4], &like);
    // A name that looks like a digest.
    let name = &like[..9];
    edit(state.directory(), |value| value["name"] = json!(name));
    refused(&room, name, "is a name, and begins the digest of another state");
    assert_eq!(room.store.remove(&like).expect("removed").len(), 1, "a broken one, too");
    assert_eq!(room.store.remove(name).expect("removed").len(), 1);
}

#[test]
fn names_that_somebody_wrote() {
    let room = Room::new();
    let state = room.want(&recipe("booted")).0;
    edit(state.directory(), |value| value["name"] = json!("\x1b[2J../../x\n"));
    let list = room.store.list().expect("listed");
    assert_eq!(list[0].name.as_deref(), Some("\x1b[2J../../x\n"), "whoever shows it cleans it");
    assert_eq!(room.store.remove("\x1b[2J../../x\n").expect("removed").len(), 1);
}
