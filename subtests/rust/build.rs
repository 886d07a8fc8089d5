//! Finds the subtests.

fn main() {
    kvmtest_build::subtests("src");
}
