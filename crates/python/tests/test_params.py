"""Params: a mapping of strings, with getters that check."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Callable

import pytest

import kvmtest
from kvmtest import ParamError, ParamMissingError, Params


def test_it_is_a_mapping() -> None:
    params = Params({"b": "1", "a": "2"}, c="3")
    assert isinstance(params, MutableMapping)
    assert list(params) == ["b", "a", "c"]
    assert len(params) == 3
    assert dict(params) == {"b": "1", "a": "2", "c": "3"}
    assert params == {"b": "1", "a": "2", "c": "3"}
    assert params != {"b": "1"}
    assert list(params.keys()) == ["b", "a", "c"]
    assert list(params.values()) == ["1", "2", "3"]
    assert list(params.items()) == [("b", "1"), ("a", "2"), ("c", "3")]
    assert "a" in params and "z" not in params and 7 not in params
    assert {**params} == dict(params)
    assert (params | {"a": "9"})["a"] == "9"
    assert params["a"] == "2"


def test_it_is_changed_like_a_mapping() -> None:
    params = Params([("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")])
    del params["a"]
    assert params.pop("b") == "2"
    assert params.pop("b", None) is None
    assert params.popitem() == ("d", "4")
    assert params.setdefault("e", "5") == "5"
    assert params.setdefault("e", "6") == "5"
    params.update({"f": 6}, g="7")
    params.update([("h", "8")])
    assert params == {"c": "3", "e": "5", "f": "6", "g": "7", "h": "8"}
    params.clear()
    assert not params and params == {}
    with pytest.raises(KeyError):
        params.popitem()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        (5, "5"),
        (0.5, "0.5"),
        (True, "yes"),
        (False, "no"),
        (["vm1", "vm2"], "vm1 vm2"),
        (("a", 1, True), "a 1 yes"),
        ([], ""),
        (Path("/tmp/x"), "/tmp/x"),
    ],
)
def test_values_are_kept_as_text(value: Any, text: str) -> None:
    params = Params()
    params["key"] = value
    assert params["key"] == text
    assert Params({"key": value})["key"] == text
    assert Params(key=value)["key"] == text


@pytest.mark.parametrize("value", [None, b"bytes", {"a": 1}, object()])
def test_what_is_no_value_is_refused(value: Any) -> None:
    params = Params()
    with pytest.raises(TypeError, match="`mem` cannot be kept as text"):
        params["mem"] = value
    assert "mem" not in params


@pytest.mark.parametrize("key", ["a b", "a-b", "1", "", "ключ", "get", "a\nb", "__class__"])
def test_a_key_may_be_anything(key: str) -> None:
    params = Params({key: "here"})
    assert params[key] == "here"
    assert params.get(key) == "here"
    assert pickle.loads(pickle.dumps(params)) == {key: "here"}
    assert not hasattr(Params({"no_attribute": "x"}), "no_attribute")


def test_keys_and_values_are_text() -> None:
    params = Params()
    with pytest.raises(TypeError, match="a key of params must be a str: 5"):
        params[5] = "x"  # type: ignore[index]
    with pytest.raises(UnicodeEncodeError):
        params["\udc80"] = "x"
    with pytest.raises(UnicodeEncodeError):
        params["x"] = "\udc80"
    with pytest.raises(TypeError):
        Params(5)  # type: ignore[arg-type]


def test_a_missing_key_is_named() -> None:
    params = Params({"mem_vm2": "512"})
    with pytest.raises(ParamMissingError) as caught:
        params["mem"]
    assert str(caught.value) == "`mem` is not set (`mem_vm2` is)"
    assert caught.value.kind == "params"
    getters: list[Callable[[str], object]] = [
        params.get_int,
        params.get_float,
        params.get_bool,
        params.get_duration,
        params.get_size,
        params.get_size_mib,
        lambda key: params.get_choice(key, ["a"]),
        params.__delitem__,
        params.pop,
    ]
    for getter in getters:
        with pytest.raises(KeyError):
            getter("mem")
        with pytest.raises(ParamError):
            getter("mem")
        with pytest.raises(kvmtest.Error):
            getter("mem")
    assert params.get("mem") is None
    assert params.get("mem", 5) == 5


def test_getters_check() -> None:
    params = Params(number="7", float="-0.5", yes="yes", time="2m", size="64K", mem="512", word="b")
    assert params.get_int("number") == 7
    assert params.get_float("float") == -0.5
    assert params.get_bool("yes") is True
    assert params.get_duration("time") == 120.0
    assert params.get_size("size") == 65536
    assert params.get_size_mib("mem") == 512 << 20
    assert params.get_choice("word", ["a", "b"]) == "b"
    assert params.get_int("none", 3) == 3
    assert params.get_bool("none", False) is False
    assert params.get_choice("none", ["a"], "a") == "a"
    with pytest.raises(ParamError, match="`word` must be a whole number: `b`") as caught:
        params.get_int("word", 3)
    assert not isinstance(caught.value, KeyError)
    with pytest.raises(ParamError, match="`word` must be one of `x`, `y`: `b`"):
        params.get_choice("word", ["x", "y"])
    with pytest.raises(ParamError, match="`yes` or `no`"):
        Params(x="true").get_bool("x")


def test_objects_see_their_own_keys() -> None:
    params = Params(vms="vm1 vm2", mem="256", mem_vm2="512")
    assert params.objects("vms") == ["vm1", "vm2"]
    assert params.objects("none") == []
    assert [params.object_params(name)["mem"] for name in params.objects("vms")] == ["256", "512"]


def test_copies_are_apart() -> None:
    params = Params(a="1")
    for twin in (params.copy(), copy.copy(params), copy.deepcopy(params), Params(params)):
        twin["a"] = "2"
        assert params["a"] == "1"
        assert type(twin) is Params


def test_places_survive() -> None:
    entries = [{"key": "smp", "value": "two", "origin": {"file": "base.cfg", "line": 9}}]
    params = Params.from_json(json.dumps(entries))
    origin = params.origin("smp")
    assert origin is not None and (origin.file, origin.line, str(origin)) == (
        "base.cfg",
        9,
        "base.cfg:9",
    )
    with pytest.raises(ParamError, match=r"whole number: `two` \(base.cfg:9\)"):
        params.get_int("smp")
    assert json.loads(params.to_json()) == entries
    assert str(pickle.loads(pickle.dumps(params)).origin("smp")) == "base.cfg:9"
    params["smp"] = 2
    assert params.origin("smp") is None and params.origin("none") is None
    with pytest.raises(ValueError, match="these are no params"):
        Params.from_json('{"a": "b"}')


def test_it_may_change_while_somebody_goes_through_it() -> None:
    params = Params(a="1", b="2")
    for key in params:
        params[key + "x"] = "3"
    assert len(params) == 4
