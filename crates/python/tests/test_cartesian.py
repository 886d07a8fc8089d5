"""The parser of configurations: what tools call."""

import copy
import pathlib
from typing import Callable, List

import pytest
from kvmtest import cartesian
from kvmtest.cartesian import Parser

TWO = "variants:\n  - a:\n    k = 1\n  - b:\n"


def parse(text: str, **options: object) -> Parser:
    parser = Parser(**options)  # type: ignore[arg-type]
    parser.parse_string(text)
    return parser


def names(parser: Parser) -> List[str]:
    return [params["name"] for params in parser.get_dicts()]


def test_a_dictionary() -> None:
    text = "mem = 1\nvariants os:\n  - @f: x y\n    k = 2\n  - u:\nvariants:\n  - boot:\n"
    first = next(parse(text).get_dicts())
    assert list(first.items()) == [
        ("name", "boot.(os=f)"),
        ("dep", ["boot.x", "boot.y"]),
        ("shortname", "boot"),
        ("_name_map_file", {"<string>": "boot.(os=f)"}),
        ("_short_name_map_file", {"<string>": "boot.f"}),
        ("mem", "1"),
        ("os", "f"),
        ("k", "2"),
    ]
    assert type(first) is dict
    assert {type(key) for key in first} == {str}


def test_nothing_was_read() -> None:
    assert list(Parser().get_dicts()) == [{"name": "", "dep": [], "shortname": ""}]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("only a", ["a"]),
        ("no a", ["b"]),
        ("only a\nonly b", []),
        ("only c", []),
        ("variants:\n  - x:\n  - y:", ["x.a", "x.b", "y.a", "y.b"]),
        ("join a b", ["a.b"]),
    ],
)
def test_what_is_left(statements: str, expected: List[str]) -> None:
    parser = parse(TWO)
    parser.parse_string(statements)
    assert names(parser) == expected


def test_filters_and_assignments_are_kept() -> None:
    parser = parse(TWO)
    parser.only_filter("a, b")
    parser.no_filter("b")
    parser.assign("k", 7)
    parser.assign("j", "two words")
    assert parser.only_filters == ["only a, b"]
    assert parser.no_filters == ["no b"]
    assert parser.assignments == ["k = 7", "j = two words"]
    (only,) = parser.get_dicts()
    assert (only["name"], only["k"], only["j"]) == ("a", "7", "two words")


def test_a_refused_statement_is_not_kept() -> None:
    parser = parse(TWO)
    with pytest.raises(cartesian.ParserError):
        parser.only_filter("a/b")
    with pytest.raises(ValueError):
        parser.assign("k", "1\nno a")
    with pytest.raises(ValueError):
        parser.no_filter("a\rno b")
    assert (parser.only_filters, parser.no_filters, parser.assignments) == ([], [], [])
    assert names(parser) == ["a", "b"]


def test_defaults() -> None:
    text = "variants n:\n  - a:\n  - @b:\nvariants m [default=q]:\n  - p:\n  - q:\n"
    assert names(parse(text, defaults=True)) == ["(m=q).(n=b)"]
    expanded = parse(text, defaults=True, expand_defaults=["m"])
    assert names(expanded) == ["(m=p).(n=b)", "(m=q).(n=b)"]
    assert len(names(parse(text, expand_defaults=["m"]))) == 4


def test_defaults_may_be_set_afterwards() -> None:
    parser = parse("variants n:\n  - a:\n  - @b:\n")
    assert len(names(parser)) == 2
    parser.defaults = True
    assert names(parser) == ["(n=b)"]
    parser.expand_defaults.append("n")
    assert len(names(parser)) == 2


def test_files(tmp_path: pathlib.Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "tests.cfg").write_text("include sub/os.cfg\nvariants:\n  - boot:\n")
    (tmp_path / "sub" / "os.cfg").write_text("variants:\n  - f:\ninclude more.cfg\n")
    (tmp_path / "sub" / "more.cfg").write_text("k = ü\n")
    for filename in (tmp_path / "tests.cfg", str(tmp_path / "tests.cfg")):
        parser = Parser(filename)
        assert parser.filename == filename
        (only,) = parser.get_dicts()
        assert (only["name"], only["k"]) == ("boot.f", "ü")
        assert only["_name_map_file"] == {"os.cfg": "f", "tests.cfg": "boot"}
    again = Parser()
    assert again.filename is None
    again.parse_file(bytes(tmp_path / "tests.cfg"))
    assert names(again) == ["boot.f"]


def test_includes_of_a_string(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.cfg").write_text("k = 1\n")
    monkeypatch.chdir(tmp_path)
    assert next(parse("include a.cfg").get_dicts())["k"] == "1"
    monkeypatch.chdir("/")
    assert next(parse(f"include {tmp_path}/a.cfg").get_dicts())["k"] == "1"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert next(parse("include ~/a.cfg").get_dicts())["k"] == "1"


def test_includes_see_what_was_read_before(tmp_path: pathlib.Path) -> None:
    (tmp_path / "more.cfg").write_text("only a\nk += 2\n")
    parser = parse(TWO)
    parser.parse_string(f"include {tmp_path}/more.cfg\n")
    assert [(d["name"], d["k"]) for d in parser.get_dicts()] == [("a", "12")]


def test_dictionaries_are_those_of_when_they_were_asked_for() -> None:
    parser = parse(TWO)
    before = parser.get_dicts()
    parser.only_filter("b")
    during = parser.get_dicts()
    assert next(during)["name"] == "b"
    parser.assign("k", 5)
    assert [params["name"] for params in before] == ["a", "b"]
    assert list(during) == []
    assert [params["k"] for params in parser.get_dicts()] == ["5"]


def test_an_iterator_of_its_own_each_time() -> None:
    parser = parse(TWO)
    first, second = parser.get_dicts(), parser.get_dicts()
    assert iter(first) is first
    assert next(first)["name"] == next(second)["name"] == "a"
    assert next(first)["name"] == "b"
    with pytest.raises(StopIteration):
        next(first)
    with pytest.raises(StopIteration):
        next(first)


def test_an_iterator_outlives_its_parser() -> None:
    dicts = parse(TWO).get_dicts()
    assert [params["name"] for params in dicts] == ["a", "b"]


def test_a_closed_iterator() -> None:
    dicts = parse(TWO).get_dicts()
    next(dicts)
    dicts.close()  # type: ignore[attr-defined]
    assert list(dicts) == []


def test_dictionaries_belong_to_the_caller() -> None:
    parser = parse("k = value\n" + TWO)
    first, second = parser.get_dicts()
    first["dep"].append("x")
    first["_name_map_file"].clear()
    first["mem"] = "1"
    del first["name"]
    assert second["dep"] == [] and second["_name_map_file"] == {"<string>": "b"}
    assert "mem" not in second and second["name"] == "b"
    assert next(parser.get_dicts())["dep"] == []


def test_strings_are_made_once() -> None:
    parser = parse("a_key = a long value\nvariants:\n  - a:\n  - b:\n")
    first, second = parser.get_dicts()
    assert first["a_key"] is second["a_key"]
    assert [key for key in first if key == "a_key"][0] is [k for k in second if k == "a_key"][0]


def test_values_that_are_put_together() -> None:
    parser = parse("k = 1\nvariants:\n  - a:\n    k += x\n  - b:\n    k += y\nj = <${k}>\n")
    assert [(d["k"], d["j"]) for d in parser.get_dicts()] == [("1x", "<1x>"), ("1y", "<1y>")]
    suffixed = parse("variants:\n  - a:\n    k = 1\n    suffix _x\n  - b:\n    k = 2\njoin a b\n")
    assert next(suffixed.get_dicts())["k_x"] == "1"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_goes_on_by_itself(copied: Callable[[Parser], Parser]) -> None:
    parser = parse(TWO)
    parser.only_filter("a, b")
    other = copied(parser)
    other.only_filter("a")
    parser.only_filter("b")
    assert (names(parser), names(other)) == (["b"], ["a"])
    assert parser.only_filters == ["only a, b", "only b"]
    assert other.only_filters == ["only a, b", "only a"]


def test_a_class_made_of_it() -> None:
    class Loud(Parser):
        def parse_string(self, s: str) -> None:
            super().parse_string(s.lower())

    parser = Loud()
    parser.parse_string(TWO)
    parser.only_filter("A")
    assert names(parser) == ["a"]
    assert type(copy.copy(parser)) is Loud


def test_ten_million_variants_are_not_made_at_once() -> None:
    blocks = ["variants:\n" + "".join(f"  - v{n}_{i}:\n" for i in range(10)) for n in range(7)]
    dicts = parse("".join(blocks)).get_dicts()
    assert len({next(dicts)["name"] for _ in range(300)}) == 300


def test_warnings_are_kept() -> None:
    parser = parse("name = x\n")
    (warning,) = parser.warnings
    assert (warning.is_error, warning.file, warning.line) == (False, "<string>", 1)


@pytest.mark.parametrize(
    ("size", "suffix", "expected"),
    [
        ("512", "B", 512),
        ("2", "M", 2 << 20),
        ("1.5K", "B", 1536),
        ("3g", "B", 3 << 30),
        ("1T", "B", 1 << 40),
    ],
)
def test_sizes(size: str, suffix: str, expected: int) -> None:
    assert cartesian.convert_data_size(size, suffix) == expected


@pytest.mark.parametrize("size", ["", "M", "lots", "1X"])
def test_no_sizes(size: str) -> None:
    with pytest.raises(ValueError):
        cartesian.convert_data_size(size)
