"""The page of the book: its examples run, and it says what there is."""

import inspect
import pathlib
import re

from kvmtest.cartesian import Parser

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs/src/language-from-python.md"


def test_examples() -> None:
    examples = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        exec(compile(example, PAGE.name, "exec"), {})


def test_everything_is_on_it() -> None:
    page = PAGE.read_text()
    methods = [name for name, _ in inspect.getmembers(Parser, inspect.isfunction)]
    attributes = vars(Parser())
    for name in [*methods, *attributes]:
        if not name.startswith("_"):
            assert re.search(rf"`{name}\b", page) or re.search(rf"\b{name}=", page), name
