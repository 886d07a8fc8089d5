//! `= += <= ~= ?= ?+= ?<=` and `del`.

use crate::{check, check_keys};

#[test]
fn set() {
    check_keys("k = 1\n", "k=1");
    check_keys("k = 1\nk = 2\n", "k=2");
    check_keys("k=1\n", "k=1");
    check_keys("k =\n", "k=");
    check_keys("k =1\n", "k=1");
    check_keys("   k   =   1   \n", "k=1");
    check_keys("k = a=b += c\n", "k=a=b += c");
    check_keys("k = a: b # no comment\n", "k=a: b # no comment");
    check_keys("k = a b  c\n", "k=a b  c");
    check_keys("a b = 4\n", "a b=4");
    check_keys("k==1\n", "k==1");
    check_keys("k.x-y_z = 1\n", "k.x-y_z=1");
    check_keys("K = 1\nk = 2\n", "K=1 k=2");
}

#[test]
fn keys_that_begin_like_statements() {
    check_keys("only_k = 1\nno-x = 2\nno.x = 3\n", "only_k=1 no-x=2 no.x=3");
    check_keys("del_x = 2\ndelete = 3\n", "del_x=2 delete=3");
    check_keys(
        "including = 4\njoined = 5\nsuffixes = 6\nvariantsx = 7\n",
        "including=4 joined=5 suffixes=6 variantsx=7",
    );
}

#[test]
fn append_and_prepend() {
    check_keys("k = 1\nk += 2\n", "k=12");
    check_keys("k = 1\nk <= 0\n", "k=01");
    check_keys("k += 1\nj <= 2\n", "k=1 j=2");
    check_keys("k = 1\nk += 2\nk <= 0\nk += 3\n", "k=0123");
    check_keys("k = a\nk += \" b\"\nk <= 'c '\n", "k=c a b");
    check_keys("k+=1\nk<=2\n", "k=21");
    check_keys("k = 1\nk +=\n", "k=1");
}

#[test]
fn lazy() {
    check_keys("k ~= 1\nk ~= 2\n", "k=1");
    check_keys("k = 1\nk ~= 2\n", "k=1");
    check_keys("k =\nk ~= 2\n", "k=");
    check_keys("k ~= 1\nk = 2\n", "k=2");
    check_keys("k = 1\ndel k\nk ~= 2\n", "k=2");
}

#[test]
fn patterns() {
    check_keys("k ?= 1\n", "");
    check_keys("k = 1\nk ?= 2\n", "k=2");
    check_keys("kk = 1\nk ?= 2\n", "kk=1");
    check_keys("kk = 1\nk.* ?= 2\nk.* ?+= 3\nk.* ?<= 4\n", "kk=423");
    check_keys("ka = 1\nkb = 2\nk[ab] ?+= 3\nk(a|c) ?<= 0\n", "ka=013 kb=23");
    check_keys("a1 = x\nb1 = y\n.1 ?= z\n", "a1=z b1=z");
    check_keys("k.x = 1\nkxx = 2\nk\\.x ?= 3\n", "k.x=3 kxx=2");
    check_keys("k = 1\nj = 2\n.* ?= ${j}\n", "k=2 j=2");
    check_keys("k = 1\nj = 2\n.* ?+= ${j}\n", "k=12 j=22");
}

#[test]
fn patterns_match_from_the_start_and_their_last_alternative_to_the_end() {
    check_keys("abc = 1\nb ?= 2\n", "abc=1");
    check_keys("abc = 1\nab ?= 2\n", "abc=1");
    check_keys("abc = 1\nbc ?= 2\n", "abc=1");
    check_keys("abc = 1\nbcd = 2\na|b ?= 9\n", "abc=9 bcd=2");
    check_keys("abc = 1\nxbc = 2\nx|abc ?= 9\n", "abc=9 xbc=9");
    check_keys("xabc = 1\nq|abc ?= 3\n", "xabc=1");
}

#[test]
fn deletion() {
    check_keys("k = 1\nj = 2\ndel k\n", "j=2");
    check_keys("k = 1\nj = 2\ndel k\nk = 3\n", "j=2 k=3");
    check_keys("del zz\n", "");
    check_keys("kk = 1\ndel k\n", "kk=1");
    check_keys("k-1 = 1\nk_1 = 2\ndel k-1\n", "k_1=2");
    check_keys("k = 1\ndel k # why\n", "");
    check("k = 1\nvariants:\n  - a:\n    del k\n  - b:\nk += 2\n", &["a: k=2", "b: k=12"]);
}

#[test]
fn order() {
    // Variants come after what stands above their block and before what stands below it.
    check(
        "k = 0\nvariants:\n  - a:\n    k += 1\nk += 2\na: k += 3\nvariants:\n  - x:\n    k += 4\nk += 5\n",
        &["x.a: k=012345"],
    );
    check(
        "k = 0\nvariants:\n  - a:\n    k += 1\n    variants:\n      - p:\n        k += 2\n      - q:\n        k += 3\n    k += 4\n  - b:\nk += 5\n",
        &["a.p: k=01245", "a.q: k=01345", "b: k=05"],
    );
    check(
        "variants:\n  - a:\n    i = 1\n    k = 2\n  - b:\n    k = 3\nj = 4\nk = 5\ni = 6\n",
        &["a: i=6 k=5 j=4", "b: k=5 j=4 i=6"],
    );
}
