"""What is refused, and how that is told."""

import os
import pathlib
import pickle
import threading

import pytest
from kvmtest.cartesian import LexerError, MissingIncludeError, Parser, ParserError


@pytest.mark.parametrize(
    ("text", "line", "source"),
    [
        ("only a/b\n", 1, "only a/b"),
        ("k = 1\nthis is nothing\n", 2, "this is nothing"),
        ("only a,\n", 1, "only a,"),
        ("only\n", 1, "only"),
        ("variants:\n", 1, "variants:"),
        ("variants:\n  - a:\n    no b..\n", 3, "no b.."),
        ("(k) = 1\n", 1, "(k) = 1"),
        ("del\n", 1, "del"),
        ("k[ ?= 1\n", 1, "k[ ?= 1"),
        ("k = 1\n\0", 2, ""),
    ],
)
def test_refused(text: str, line: int, source: str) -> None:
    parser = Parser()
    with pytest.raises(ParserError) as told:
        parser.parse_string(text)
    error = told.value
    assert (error.filename, error.linenum, error.line) == ("<string>", line, source)
    assert error.msg == error.diagnostics[0].message
    assert f"<string>:{line}:" in str(error)
    assert "^" in str(error)
    assert error.msg in str(error)


def test_the_name_of_the_other_error() -> None:
    with pytest.raises(LexerError):
        Parser().parse_string("only a/b")


def test_all_errors_are_told_at_once() -> None:
    with pytest.raises(ParserError) as told:
        Parser().parse_string("only a/b\nname = 1\nnothing\n")
    found = told.value.diagnostics
    assert [(one.line, one.is_error) for one in found] == [(1, True), (2, False), (3, True)]
    assert str(told.value).count("error:") == 2


def test_a_thousand_errors_are_not_all_shown() -> None:
    with pytest.raises(ParserError) as told:
        Parser().parse_string("nothing\n" * 500)
    assert len(told.value.diagnostics) == 500
    assert str(told.value).count("error:") == 20
    assert str(told.value).endswith("480 more errors")


@pytest.mark.parametrize(
    "refused", ["only x\nnothing\n", "k = 5\nonly a/b\n", "include nowhere.cfg\nonly x\n"]
)
def test_nothing_of_a_refused_text_is_taken_in(refused: str, tmp_path: pathlib.Path) -> None:
    parser = Parser()
    parser.parse_string("variants:\n  - a:\n  - b:\n")
    before = list(parser.get_dicts())
    with pytest.raises((ParserError, MissingIncludeError)):
        parser.parse_string(refused)
    (tmp_path / "bad.cfg").write_text(refused)
    with pytest.raises((ParserError, MissingIncludeError)):
        parser.parse_file(tmp_path / "bad.cfg")
    assert parser.filename is None
    assert list(parser.get_dicts()) == before
    parser.parse_string("only a\n")
    assert len(list(parser.get_dicts())) == 1


def test_an_error_in_an_included_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.cfg").write_text("\ninclude b.cfg\n")
    (tmp_path / "b.cfg").write_text("k = 1\nnothing\n")
    with pytest.raises(ParserError) as told:
        Parser(tmp_path / "a.cfg")
    assert (told.value.filename, told.value.linenum) == (str(tmp_path / "b.cfg"), 2)


def test_a_missing_include(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.cfg").write_text("k = 1\n  include nowhere.cfg\n")
    with pytest.raises(MissingIncludeError) as told:
        Parser(str(tmp_path / "a.cfg"))
    error = told.value
    assert (error.filename, error.linenum) == (str(tmp_path / "a.cfg"), 2)
    assert error.line == "include nowhere.cfg"
    assert f"there is no file `{tmp_path}/nowhere.cfg`" in str(error)
    assert not isinstance(error, ParserError)


def test_the_first_error_decides_about_the_class(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ParserError) as told:
        Parser().parse_string("nothing\ninclude nowhere.cfg\n")
    assert [one.is_missing_include for one in told.value.diagnostics] == [False, True]
    with pytest.raises(MissingIncludeError) as missing:
        Parser().parse_string("include nowhere.cfg\nnothing\n")
    assert [one.is_missing_include for one in missing.value.diagnostics] == [True, False]


def test_includes_that_are_no_files(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"k = 1\nj = \xff\n")
    for name, why in [
        ("pipe", "no regular file"),
        ("folder", "no regular file"),
        ("binary", "0xff in line 2"),
        ("~nobody-of-this-name/x.cfg", "there is no file"),
    ]:
        (tmp_path / "a.cfg").write_text(f"include {name}\n")
        with pytest.raises(MissingIncludeError, match=why):
            Parser(tmp_path / "a.cfg")


def test_files_that_include_one_another(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.cfg").write_text("include b.cfg\n")
    (tmp_path / "b.cfg").write_text("include a.cfg\n")
    with pytest.raises(ParserError, match="includes itself"):
        Parser(tmp_path / "a.cfg")
    (tmp_path / "b.cfg").write_text(f"include ../{tmp_path.name}/b.cfg\n")
    with pytest.raises(ParserError, match="including one another"):
        Parser(tmp_path / "a.cfg")


def test_files_that_cannot_be_read(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError) as told:
        Parser(tmp_path / "nowhere.cfg")
    assert told.value.filename == str(tmp_path / "nowhere.cfg")
    with pytest.raises(IsADirectoryError):
        Parser().parse_file(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(UnicodeDecodeError):
        Parser(tmp_path / "binary")


@pytest.mark.parametrize("text", [b"k = 1", None, 5])
def test_texts_that_are_no_strings(text: object) -> None:
    with pytest.raises(TypeError):
        Parser().parse_string(text)  # type: ignore[arg-type]


def test_texts_that_are_no_unicode() -> None:
    with pytest.raises(UnicodeEncodeError):
        Parser().parse_string("k = \udc80")


def test_errors_cross_processes() -> None:
    with pytest.raises(ParserError) as told:
        Parser().parse_string("nothing")
    again = pickle.loads(pickle.dumps(told.value))
    assert (str(again), again.linenum, again.diagnostics) == (
        str(told.value),
        1,
        told.value.diagnostics,
    )


def test_errors_that_a_tool_raises_itself() -> None:
    assert str(ParserError("wrong", "k = 1", "a.cfg", 3)) == "wrong: 'k = 1' (a.cfg:3)"
    assert str(ParserError("wrong", filename="a.cfg", linenum=3)) == "wrong (a.cfg:3)"
    assert "'include x' (a.cfg:3)" in str(MissingIncludeError("include x", "a.cfg", 3))


def test_one_parser_in_many_threads() -> None:
    parser = Parser()
    parser.parse_string("variants:\n  - a:\n  - b:\n")

    def work(number: int) -> None:
        for turn in range(50):
            parser.assign(f"k{number}_{turn}", turn)
            assert len(list(parser.get_dicts())) == 2

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(parser.assignments) == 200
    assert len(next(parser.get_dicts())) == 205
