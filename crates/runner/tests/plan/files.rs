//! Configuration files on the disk.

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest_runner::plan::{Choice, Refusal, Selection, Wanted, select};

use crate::matrix::{SHIPPED, first, known, matrix, shortnames};

struct Folder {
    _keep: tempfile::TempDir,
    path: Utf8PathBuf,
}

fn folder(files: &[(&str, &str)]) -> Folder {
    let keep = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8");
    for (name, text) in files {
        let file = path.join(name);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("made");
        std::fs::write(file, text).expect("written");
    }
    Folder { _keep: keep, path }
}

fn read(file: &Utf8Path) -> Result<Selection, Refusal> {
    let choice = Choice { config: Some(file.to_owned()), ..Choice::default() };
    select(&choice, &matrix(), &known(SHIPPED))
}

#[track_caller]
fn refused(file: &Utf8Path, parts: &[&str]) {
    let refusal = read(file).err().expect("refused");
    assert_eq!(refusal.exit_code(), 3);
    let text = refusal.render(false);
    for part in parts {
        assert!(text.contains(part), "`{text}` lacks `{part}`");
    }
}

#[test]
fn a_path_is_relative_to_the_file_that_names_it() {
    let folder = folder(&[
        ("my.cfg", "include deep/a.cfg\nvariants:\n    - x:\n"),
        ("deep/a.cfg", "include b.cfg\nfrom_a = 1\n"),
        ("deep/b.cfg", "from_b = 2\n"),
    ]);
    let selection = read(&folder.path.join("my.cfg")).expect("read");
    assert_eq!(shortnames(&selection), ["x"]);
    assert_eq!(selection.set, None, "it has no sets");
    assert_eq!(first(&selection).get("from_b"), Some("2"));
    let place = first(&selection).place("from_b").expect("a place");
    assert_eq!(*place.file, *folder.path.join("deep/b.cfg").as_str());
}

#[test]
fn an_own_file_may_build_on_the_shipped_ones() {
    let folder =
        folder(&[("my.cfg", "include <shipped>/tests.cfg\nvariants:\n    - mine:\nmem = 99\n")]);
    let selection = read(&folder.path.join("my.cfg")).expect("read");
    assert_eq!(shortnames(&selection), ["mine.boot", "mine.reboot"]);
    assert_eq!(first(&selection).get("mem"), Some("99"));
    refused(
        &self::folder(&[("my.cfg", "include <shipped>/no.cfg\n")]).path.join("my.cfg"),
        &["no `no.cfg` among the shipped"],
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = folder(&[("my.cfg", "x = 1\ninclude gone.cfg\n")]);
    refused(&folder.path.join("other.cfg"), &["cannot read", "other.cfg"]);
    refused(&folder.path.join("my.cfg"), &["gone.cfg", "my.cfg:2"]);
    refused(&folder.path, &["cannot read"]);
}

#[test]
fn each_way_not_to_be_included_has_its_own_help() {
    let folder = folder(&[("disks.cfg", ""), ("deep/guests.cfg", ""), ("deep/more.cfg", "")]);
    let path = folder.path.join("my.cfg");
    let check = |included: &str, parts: &[&str]| {
        std::fs::write(&path, format!("include {included}\n")).expect("written");
        refused(&path, &[format!("failed to include `{included}`: ").as_str()]);
        refused(&path, parts);
    };
    check("<shipped>/subtets.cfg", &["did you mean `<shipped>/subtests.cfg`?"]);
    check("<shipped>/no.cfg", &["there are `<shipped>/tests.cfg`, `<shipped>/subtests.cfg`"]);
    check("<shipped>", &["that is a folder", "as `<shipped>/tests.cfg`"]);
    check("<shipped>/", &["that is a folder"]);
    check("<what>", &["that stands for nothing", "`<shipped>/NAME.cfg`", "`<subtests>`"]);
    check("disk.cfg", &["there is no file `", "did you mean `disks.cfg`?"]);
    check("disks.cgf", &["did you mean `disks.cfg`?"]);
    check("disks", &["did you mean `disks.cfg`?"]);
    check("desk.cfg", &["a relative path starts at the folder of the including file"]);
    check("deep/guest.cfg", &["did you mean `deep/guests.cfg`?"]);
    check("deep", &["that is a directory", "`deep/guests.cfg`, `deep/more.cfg`"]);
    check("dep/guests.cfg", &["there is no folder `"]);
    check("disks.cfg/x.cfg", &["there is no folder `"]);
    check("something.cfg", &["a relative path starts at the folder of the including file"]);
    check("~nobody/x.cfg", &["`~` is your own home directory"]);
    let other = folder.path.join("disk.cfg");
    refused(&other, &["cannot read", "there is no such file; did you mean `/", "disks.cfg`?"]);
}

#[test]
fn a_path_on_the_command_line_starts_at_the_current_directory() {
    let wanted = Wanted::parse(["include nothing-of-the-kind.cfg"]).expect("a statement");
    let refusal = select(&Choice { wanted, ..Choice::default() }, &matrix(), &known(SHIPPED));
    let text = refusal.err().expect("refused").render(false);
    assert!(text.contains("a relative path starts at the current directory"), "{text}");
}

#[test]
fn a_file_below_the_current_directory_is_shown_by_its_relative_path() {
    let here = std::env::current_dir().expect("a directory");
    let keep = tempfile::tempdir_in(&here).expect("a directory");
    let path = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8");
    let name = path.file_name().expect("a name");
    std::fs::write(path.join("my.cfg"), format!("include ../{name}/k.cfg\n")).expect("written");
    std::fs::write(path.join("k.cfg"), "k = 1\n").expect("written");
    let selection = read(&path.join("my.cfg")).expect("read");
    let place = first(&selection).place("k").expect("a place");
    assert_eq!(*place.file, *format!("{name}/k.cfg"));
}

#[test]
fn a_file_that_is_no_text_is_told_so() {
    let folder = folder(&[]);
    let file = folder.path.join("bad.cfg");
    std::fs::write(&file, b"x = \xff\n").expect("written");
    refused(&file, &["bad.cfg:1:5", "0xff", "save the file as UTF-8"]);
}

#[test]
fn files_that_include_each_other_end() {
    let folder = folder(&[("a.cfg", "include d/b.cfg\n"), ("d/b.cfg", "include ../d/../a.cfg\n")]);
    refused(&folder.path.join("a.cfg"), &["a.cfg"]);
}
