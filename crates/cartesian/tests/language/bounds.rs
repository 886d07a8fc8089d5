//! `X_min`, `X_max` and `X_fixed`.

use crate::{check, check_keys};

#[test]
fn of_numbers() {
    check_keys("m = 100\nm_max = 50\n", "m=50 m_max=50");
    check_keys("m = 10\nm_max = 50\n", "m=10 m_max=50");
    check_keys("m = 1\nm_min = 2\n", "m=2 m_min=2");
    check_keys("m = 3\nm_min = 2\n", "m=3 m_min=2");
    check_keys("m = -5\nm_min = -3\n", "m=-3 m_min=-3");
    check_keys("m = 07\nm_max = 5\n", "m=5 m_max=5");
    check_keys("m_max = 50\nm = 100\n", "m_max=50 m=50");
    check_keys("m = 100\nm_max = 300\nm_max += 0\n", "m=100 m_max=3000");
}

#[test]
fn fixed() {
    check_keys("m = x\nm_fixed = 3\n", "m=3 m_fixed=3");
    check_keys("m = 1\nm_fixed =\n", "m= m_fixed=");
    check_keys("m = 5\nm_fixed = 9\nm_max = 1\n", "m=1 m_fixed=9 m_max=1");
}

#[test]
fn of_what_is_not_there() {
    check_keys("m_max = 3\n", "m_max=3 m=3");
    check_keys("m_min = some\n", "m_min=some m=some");
    check_keys("m_fixed = 3\n", "m_fixed=3 m=3");
    check_keys("m_max = 1\nm_fixed = 9\n", "m_max=1 m_fixed=9 m=9");
}

#[test]
fn several() {
    check_keys("m = 5\nm_min = 7\nm_max = 3\n", "m=3 m_min=7 m_max=3");
    check_keys("m = 5\nm_max = 3\nm_min = 7\n", "m=7 m_max=3 m_min=7");
    check_keys("m = 5\nm_max = 3\nm_min = 7\nm_fixed = 9\n", "m=9 m_max=3 m_min=7 m_fixed=9");
    check_keys("m = 5\nm_max = 5\nm_max_max = 3\n", "m=3 m_max=5 m_max_max=3");
}

#[test]
fn of_sizes() {
    check_keys("m = 1G\nm_max = 500M\n", "m=500M m_max=500M");
    check_keys("m = 1024M\nm_max = 1G\n", "m=1024M m_max=1G");
    check_keys("m = 1025M\nm_max = 1G\n", "m=1G m_max=1G");
    check_keys("m = 5K\nm_min = 1M\n", "m=1M m_min=1M");
    check_keys("m = 1T\nm_max = 1G\n", "m=1G m_max=1G");
    check_keys("m = 5b\nm_max = 3b\n", "m=3b m_max=3b");
    check_keys("m = 1.5G\nm_max = 1.2G\n", "m=1.2G m_max=1.2G");
    check_keys("m = 2048\nm_max = 1G\n", "m=1G m_max=1G");
    check_keys("m = 5\nm_max = 5K\n", "m=5K m_max=5K");
}

#[test]
fn of_each_variant() {
    check(
        "variants:\n  - a:\n    m = 5\n  - b:\n    m = 50\nm_max = 10\n",
        &["a: m=5 m_max=10", "b: m=10 m_max=10"],
    );
    check(
        "variants m:\n  - 5:\n  - 50:\nm_max = 10\n",
        &["(m=5): m=5 m_max=10", "(m=50): m=10 m_max=10"],
    );
}
