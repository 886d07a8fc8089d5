//! Pools on a file system of our own.

use super::*;

const SIZE: u64 = 2048;

struct Host {
    _keep: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Host {
    /// A host whose pool has `pages`, `free` of them free.
    fn new(pages: u64, free: u64) -> Self {
        let keep = tempfile::tempdir().expect("a directory");
        let root = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8");
        let host = Self { _keep: keep, root };
        std::fs::create_dir_all(host.pool()).expect("made");
        for (file, number) in
            [("nr_hugepages", pages), ("free_hugepages", free), ("surplus_hugepages", 0)]
        {
            host.set(file, number);
        }
        std::fs::write(host.root.join("meminfo"), "MemFree: 1 kB\nHugepagesize:    2048 kB\n")
            .expect("written");
        host
    }

    fn pool(&self) -> Utf8PathBuf {
        self.root.join(format!("sys/hugepages-{SIZE}kB"))
    }

    fn set(&self, file: &str, number: u64) {
        std::fs::write(self.pool().join(file), format!("{number}\n")).expect("written");
    }

    fn pages(&self) -> u64 {
        let text = std::fs::read_to_string(self.pool().join("nr_hugepages")).expect("read");
        text.trim().parse().expect("a number")
    }

    fn hugepages(&self) -> Hugepages {
        Hugepages {
            sysfs: self.root.join("sys"),
            meminfo: self.root.join("meminfo"),
            ledger: Some(self.root.join("run/hugepages.json")),
            size_of_mount: |_| Ok(1 << 20),
        }
    }

    fn has_ledger(&self) -> bool {
        self.root.join("run/hugepages.json").exists()
    }
}

fn need(pages: u64) -> Need {
    Need { size_kib: SIZE, pages }
}

#[test]
fn what_is_added_is_taken_away_again() {
    let host = Host::new(10, 0);
    let reserved = host.hugepages().reserve(need(128)).expect("reserved");
    assert_eq!(host.pages(), 138);
    assert!(host.has_ledger());
    host.hugepages().give_back(&reserved).expect("given back");
    assert_eq!(host.pages(), 10);
    assert!(!host.has_ledger(), "nothing is left");
}

#[test]
fn two_runs_do_not_undo_each_other() {
    let host = Host::new(0, 0);
    let (a, b) = (host.hugepages(), host.hugepages());
    let first = a.reserve(need(100)).expect("reserved");
    let second = b.reserve(need(30)).expect("reserved");
    assert_eq!(host.pages(), 130);
    a.give_back(&first).expect("given back");
    assert_eq!(host.pages(), 30, "the other one's");
    // An administrator took a hand meanwhile.
    host.set("nr_hugepages", 50);
    b.give_back(&second).expect("given back");
    assert_eq!(host.pages(), 20);
}

#[test]
fn runs_at_the_same_time_add_up() {
    let host = Host::new(7, 0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let hugepages = host.hugepages();
                for _ in 0..10 {
                    let reserved = hugepages.reserve(need(3)).expect("reserved");
                    hugepages.give_back(&reserved).expect("given back");
                }
            });
        }
    });
    assert_eq!(host.pages(), 7);
    assert!(!host.has_ledger());
}

#[test]
fn pages_of_a_run_that_was_killed_are_given_back() {
    let host = Host::new(5, 0);
    let hugepages = host.hugepages();
    let mut reserved = hugepages.reserve(need(40)).expect("reserved");
    hugepages.ledger().expect("a path").remove(&reserved).expect("removed");
    reserved.holder.start_time += 1;
    hugepages.ledger().expect("a path").add(&reserved).expect("added");
    let own = hugepages.reserve(need(1)).expect("reserved");
    assert_eq!(host.pages(), 6);
    hugepages.ledger().expect("a path").add(&reserved).expect("added");
    host.set("nr_hugepages", 46);
    hugepages.collect().expect("collected");
    assert_eq!(host.pages(), 6);
    assert!(host.has_ledger(), "ours");
    hugepages.give_back(&own).expect("given back");
    assert!(!host.has_ledger());
}

#[test]
fn pages_that_are_lent_are_not_ours() {
    let host = Host::new(30, 0);
    host.set("surplus_hugepages", 20);
    // The file shows what was written, and nobody converts what is lent.
    let error = host.hugepages().reserve(need(8)).expect_err("none came").to_string();
    assert!(error.contains("room for 0 of 8"), "{error}");
    assert_eq!(host.pages(), 10, "what there was for good");
}

/// Puts another file in the place of the pool's number.
fn replace_number(host: &Host, target: &str) {
    let number = host.pool().join("nr_hugepages");
    std::fs::remove_file(&number).expect("there");
    std::os::unix::fs::symlink(target, &number).expect("linked");
}

#[test]
fn a_number_that_is_none_is_an_error() {
    let host = Host::new(4, 4);
    replace_number(&host, "/dev/null");
    let error = host.hugepages().reserve(need(8)).expect_err("an odd file").to_string();
    assert!(error.contains("should be a number"), "{error}");
}

#[test]
fn a_user_who_may_not_is_told_so_or_takes_what_is_free() {
    let host = Host::new(0, 4);
    // A number that not even root may write.
    replace_number(&host, "/proc/sys/kernel/random/poolsize");
    let reserved = host.hugepages().reserve(need(4)).expect("enough are free");
    assert_eq!(reserved.pages, 0);
    assert!(!host.has_ledger());
    host.hugepages().give_back(&reserved).expect("nothing to do");
    host.set("resv_hugepages", 1);
    let error = host.hugepages().reserve(need(4)).expect_err("one is promised").to_string();
    assert!(error.contains("cannot be changed by this user"), "{error}");
    assert!(error.contains("3 are free now"), "{error}");
}

#[test]
fn a_size_that_the_host_lacks_is_named() {
    let host = Host::new(0, 0);
    let error = host.hugepages().reserve(Need { size_kib: 16, pages: 1 }).expect_err("none");
    assert!(error.to_string().contains("no huge pages of 16 KiB"), "{error}");
    std::fs::write(host.root.join("meminfo"), "MemFree: 1 kB\n").expect("written");
    let params: Params = [("vms", "vm1")].into_iter().collect();
    let error = host.hugepages().needs(&params).expect_err("none").to_string();
    assert!(error.contains("no huge pages"), "{error}");
}

#[test]
fn a_broken_ledger_stops_nobody() {
    let host = Host::new(0, 0);
    for text in ["", "{", "[]", "{\"version\":1,\"reserved\":[{\"pages\":-1}]}"] {
        std::fs::create_dir_all(host.root.join("run")).expect("made");
        std::fs::write(host.root.join("run/hugepages.json"), text).expect("written");
        let reserved = host.hugepages().reserve(need(2)).expect(text);
        host.hugepages().give_back(&reserved).expect(text);
        assert_eq!(host.pages(), 0, "{text}");
    }
    std::fs::write(host.root.join("run/hugepages.json"), "{\"version\":9,\"reserved\":[]}")
        .expect("written");
    let error = host.hugepages().reserve(need(2)).expect_err("of another version").to_string();
    assert!(error.contains("version 9"), "{error}");
}

#[test]
fn the_memory_of_the_machines_is_what_is_needed() {
    let host = Host::new(0, 0);
    let check = |params: &[(&str, &str)], expected: &[(u64, u64)]| {
        let params: Params = params.iter().copied().collect();
        let needs = host.hugepages().needs(&params).expect("read");
        let needs: Vec<_> = needs.iter().map(|need| (need.size_kib, need.pages)).collect();
        assert_eq!(needs, expected, "{params:?}");
    };
    check(&[], &[]);
    check(&[("vms", "a")], &[(2048, 256)]);
    check(&[("vms", "a"), ("mem", "3")], &[(2048, 2)]);
    check(&[("vms", "a b"), ("mem", "64"), ("mem_b", "1G")], &[(2048, 32 + 512)]);
    // Only one of them says that it wants some; its mount has larger ones.
    check(&[("vms", "a b"), ("mem", "2G"), ("hugepage_b", "yes")], &[(1 << 20, 2)]);
    check(&[("vms", "a"), ("hugepages", "yes"), ("mem_path", "/x")], &[(1 << 20, 1)]);
    check(&[("vms", "a"), ("mem", "4"), ("max_vms", "3")], &[(2048, 6)]);
    check(&[("vms", "a b"), ("mem", "4"), ("max_vms", "1")], &[(2048, 4)]);
    for (key, value) in [("mem", "much"), ("max_vms", "x"), ("max_vms", "9999"), ("hugepage", "1")]
    {
        let params: Params = [("vms", "a"), (key, value)].into_iter().collect();
        assert!(machines(&params).expect_err(key).to_string().contains(&format!("`{key}`")));
    }
}

#[test]
fn a_directory_without_huge_pages_is_named_with_what_mends_it() {
    for (dir, part) in [("/proc", "has no huge pages"), ("/nowhere", "is not there")] {
        let error = need::size_of_mount(Utf8Path::new(dir)).expect_err(dir).to_string();
        assert!(error.contains(part) && error.contains("mount -t hugetlbfs"), "{error}");
    }
}
