"""The Cartesian configuration language, with the interface of Avocado-VT's parser.

A tool that was written for that one takes this one by another import::

    from kvmtest import cartesian

    parser = cartesian.Parser("tests.cfg")
    parser.only_filter("boot")
    parser.assign("mem", 1024)
    for params in parser.get_dicts():
        print(params["shortname"], params["mem"])

Where both differ is told in the book, on the page about Python.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Optional, Union

from ._kvmtest import CartesianReader
from .errors import ConfigError

__all__ = [
    "Diagnostic",
    "LexerError",
    "MissingIncludeError",
    "Parser",
    "ParserError",
    "convert_data_size",
]

_Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


class Diagnostic(NamedTuple):
    """One thing that was found in a text; ``str()`` is a picture of it, in several lines."""

    is_error: bool
    """Whether the text is refused for it; else it is a warning."""
    is_missing_include: bool
    """Whether it is a file that could not be included."""
    file: str
    """The path of the file; ``<string>`` for what was given as a string."""
    line: int
    """The number of the line, from 1."""
    column: int
    """Where in the line it begins, in characters from 1, tabs being the blanks they stand for."""
    end_column: int
    """Where in the line it has ended."""
    message: str
    """What is wrong."""
    help: Optional[str]
    """What would be right, if that is known."""
    source: str
    """The line, or the part of a long line around what is meant."""
    picture: str
    """The message, the line with a caret below, and the help."""

    def __str__(self) -> str:
        """The picture."""
        return self.picture


class _RefusedError(ConfigError):
    """What is known of a text that was refused."""

    msg: str
    """What is wrong first."""
    line: Optional[str]
    """The line that this is about."""
    filename: Optional[str]
    """The file that has this line."""
    linenum: Optional[int]
    """The number of this line, from 1."""
    diagnostics: list[Diagnostic]
    """All errors of the text, and its warnings, in order."""

    def __str__(self) -> str:
        """A picture of each error; without any, what is wrong and where."""
        errors = [one.picture for one in self.diagnostics if one.is_error]
        more = len(errors) - _SHOWN
        if more > 0:
            errors[_SHOWN:] = [f"… and {more} more errors"]
        about = f": {self.line!r}" if self.line else ""
        return "\n\n".join(errors) or f"{self.msg}{about} ({self.filename}:{self.linenum})"


class ParserError(_RefusedError):
    """A text that was refused. ``str()`` shows every error in it, each with a caret.

    Nothing of the text was taken in: the parser is as it was before.
    """

    def __init__(
        self,
        msg: str,
        line: Optional[str] = None,
        filename: Optional[str] = None,
        linenum: Optional[int] = None,
        diagnostics: Sequence[Diagnostic] = (),
    ) -> None:
        """An error about a line."""
        super().__init__(msg)
        self.msg, self.line, self.filename, self.linenum = msg, line, filename, linenum
        self.diagnostics = list(diagnostics)


LexerError = ParserError
"""The reference tells two stages of reading apart; here there is one, and one error."""


class MissingIncludeError(_RefusedError):
    """The first error in a text is a file that it includes and that could not be read.

    As for :class:`ParserError`, of which this is none, nothing of the text was taken in.
    """

    def __init__(
        self,
        line: str,
        filename: str,
        linenum: int,
        diagnostics: Sequence[Diagnostic] = (),
    ) -> None:
        """An error about an ``include`` statement."""
        errors = [one.message for one in diagnostics if one.is_error]
        msg = errors[0] if errors else "failed to include a file"
        super().__init__(msg)
        self.msg, self.line, self.filename, self.linenum = msg, line, filename, linenum
        self.diagnostics = list(diagnostics)


class Parser:
    """Reads configurations, and gives the dictionaries of their variants.

    What is read later sees and changes what was read before, as if all of it stood in one file.

    :param filename: a file to begin with.
    :param defaults: only the default variant of each block that has one, as long as filters leave
        anything of it.
    :param expand_defaults: names of blocks that give all their variants nevertheless.
    :param debug: for those who give it; nothing is logged here. ``kvmtest show --explain`` tells
        how a value came about.
    """

    def __init__(
        self,
        filename: Optional[_Path] = None,
        defaults: bool = False,
        expand_defaults: Iterable[str] = (),
        debug: bool = False,
    ) -> None:
        """A parser that has read nothing, or the file."""
        self.filename: Optional[_Path] = None
        """The last file that was read."""
        self.defaults = defaults
        """Whether only defaults are wanted. May be set; counts when dictionaries are asked for."""
        self.expand_defaults = list(expand_defaults)
        """Blocks that give all their variants nevertheless. As ``defaults``."""
        self.debug = debug
        """What was given; it does nothing."""
        self.only_filters: list[str] = []
        """The statements that :meth:`only_filter` made."""
        self.no_filters: list[str] = []
        """The statements that :meth:`no_filter` made."""
        self.assignments: list[str] = []
        """The statements that :meth:`assign` made."""
        self.warnings: list[Diagnostic] = []
        """What was read that hardly means what its author wants."""
        self._reader = CartesianReader()
        if filename:
            self.parse_file(filename)

    def parse_file(self, filename: _Path) -> None:
        """Reads a file. Files that it includes are looked for beside it.

        :raises OSError: it cannot be opened.
        :raises UnicodeDecodeError: it is no UTF-8 text.
        :raises ParserError: something in it or in what it includes means nothing.
        :raises MissingIncludeError: a file that it includes cannot be read.
        """
        with open(filename, "rb") as file:
            text = file.read().decode("utf-8")
        self._read(os.fsdecode(filename), text)
        self.filename = filename

    def parse_string(self, s: str) -> None:
        """Reads a text. Files that it includes are looked for in the current directory.

        :raises ParserError: something in it or in what it includes means nothing.
        :raises MissingIncludeError: a file that it includes cannot be read.
        """
        self._read("<string>", s)

    def only_filter(self, variant: str) -> None:
        """Leaves only what the filter matches: the statement ``only variant``.

        :raises ParserError: it is no filter.
        """
        self._state(self.only_filters, f"only {variant}")

    def no_filter(self, variant: str) -> None:
        """Leaves nothing that the filter matches: the statement ``no variant``.

        :raises ParserError: it is no filter.
        """
        self._state(self.no_filters, f"no {variant}")

    def assign(self, key: str, value: object) -> None:
        """Sets a key in every variant: the statement ``key = value``.

        :raises ParserError: it is no key.
        :raises ValueError: the value has several lines, which no value can have.
        """
        self._state(self.assignments, f"{key} = {value}")

    def get_dicts(self) -> Iterator[dict[str, Any]]:
        """The dictionaries of all variants, one after another, the last block varying slowest.

        They are those of what was read when this was called: what is read later, or while they
        are taken, changes the dictionaries of the next call only.

        A dictionary has first ``name`` (all labels), ``dep`` (a list of the names of what has to
        have run before) and ``shortname``; then, unless nothing has a name, ``_name_map_file`` and
        ``_short_name_map_file``, dictionaries that tell for each file which part of the names came
        from it; and then every key, in the order in which they first got a value. All keys and
        values are plain strings, the dictionary belongs to the caller.

        While a variant is looked for, other threads run; Ctrl-C ends the search, and with it the
        iterator.
        """
        return self._reader.variants(list(self.expand_defaults) if self.defaults else None)

    def __copy__(self) -> Parser:
        """Another parser that has read the same, and goes on by itself: to ask a large
        configuration different things, and read it once."""
        other = self.__class__.__new__(self.__class__)
        other.__dict__.update(self.__dict__)
        for name in ("expand_defaults", "only_filters", "no_filters", "assignments", "warnings"):
            setattr(other, name, list(getattr(self, name)))
        other._reader = self._reader.copy()
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Parser:
        """As ``copy``."""
        return self.__copy__()

    def _state(self, kept: list[str], statement: str) -> None:
        if any(end in statement.rstrip("\r\n") for end in "\r\n"):
            raise ValueError(f"a statement has one line: {statement!r}")
        self.parse_string(statement)
        kept.append(statement)

    def _read(self, name: str, text: str) -> None:
        found = [Diagnostic(**fields) for fields in self._reader.read(name, text)]
        errors = [one for one in found if one.is_error]
        if not errors:
            self.warnings.extend(found)
            return
        first = errors[0]
        where = (first.source, first.file, first.line)
        if first.is_missing_include:
            raise MissingIncludeError(*where, found)
        raise ParserError(first.message, *where, found)


def convert_data_size(size: str, default_sufix: str = "B") -> int:
    """A size with a suffix of ``B K M G T``, as a number of bytes; ``default_sufix`` is that of a
    number without one.

    :raises ValueError: it is no number.
    """
    suffixes = "BKMGT"
    has_suffix = size[-1:].upper() in suffixes and size != ""
    number, suffix = (size[:-1], size[-1]) if has_suffix else (size, default_sufix)
    return int(float(number) * 1024 ** suffixes.index(suffix.upper()))


_SHOWN = 20
"""Errors that are shown; there may be a thousand."""
