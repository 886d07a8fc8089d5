//! `${key}`, replaced where the assignment stands.

use crate::{check, check_keys};

#[test]
fn values() {
    check_keys("a = 1\nb = ${a}${a}\na = 2\n", "a=2 b=11");
    check_keys("a = 1\nb = x${a}y\n", "a=1 b=x1y");
    check_keys("a = 1\na += ${a}\n", "a=11");
    check_keys("a = 1\na <= ${a}-\n", "a=1-1");
    check_keys("a = 1\nb ~= ${a}\n", "a=1 b=1");
    check_keys("a = 1\na ~= ${a}${a}\n", "a=1");
    check_keys("a = 1\nb = 2\nb ?= ${a}\n", "a=1 b=1");
    check_keys("a =\nb = x${a}y\n", "a= b=xy");
    check_keys("a.b = 1\na-b = 2\na b = 3\nc = ${a.b}${a-b}${a b}\n", "a.b=1 a-b=2 a b=3 c=123");
}

#[test]
fn only_once() {
    check_keys("a = ${b}\nb = 1\nc = ${a}\n", "a=${b} b=1 c=${b}");
    check_keys("a = $\nc = {x}\nb = ${a}${c}\nx = 1\n", "a=$ c={x} b=${x} x=1");
    check_keys("b = 1\na = ${b${c}}\n", "b=1 a=${b${c}}");
}

#[test]
fn unknown_keys_stay_and_so_does_what_follows() {
    check_keys("b = ${a}\na = 1\n", "b=${a} a=1");
    check_keys("a = 1\nb = ${a}${c}${a}\n", "a=1 b=1${c}${a}");
    check_keys("a = 1\nb = ${c}${a}\n", "a=1 b=${c}${a}");
    check_keys("a = 1\nb = $a ${} ${a\n", "a=1 b=$a ${} ${a");
    check_keys("a = 1\nb = ${ a }\n", "a=1 b=${ a }");
    check_keys("a = 1\nb = $${a}\n", "a=1 b=$1");
    check_keys("a = 1\nb = {${a}}\n", "a=1 b={1}");
    check_keys("a = 1\nb = \"${a}\"\nc = '${a}'\n", "a=1 b=1 c=1");
}

#[test]
fn what_the_language_sets() {
    check(
        "variants:\n  - @a:\n    k = ${name}|${shortname}|${dep}\nvariants os:\n  - x: y z\n",
        &["(os=x).a: k=(os=x).a|x|['y', 'z'] os=x"],
    );
    check("k = ${name}${shortname}${dep}\n", &[": k=[]"]);
}

#[test]
fn each_variant_has_its_own() {
    check(
        "variants:\n  - a:\n    k = 1\n  - b:\n    k = 2\nj = ${k}\n",
        &["a: k=1 j=1", "b: k=2 j=2"],
    );
    check(
        "variants os:\n  - f.1:\n  - g:\nj = ${os}\n",
        &["(os=f).(os=1): os=f.1 j=f.1", "(os=g): os=g j=g"],
    );
    check(
        "variants:\n  - a:\n    j = ${k}\nk = 1\nvariants:\n  - x:\n    i = ${k}\n",
        &["x.a: j=${k} k=1 i=1"],
    );
}
