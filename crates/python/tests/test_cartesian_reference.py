"""Against what the reference implementation makes of the same texts.

The texts and the answers lie beside the project, in ``../shared/data``; without them these tests
are skipped.
"""

import json
import lzma
import pathlib
from typing import Any, Dict, Iterable, List

import pytest
from kvmtest.cartesian import MissingIncludeError, Parser, ParserError

DATA = pathlib.Path(__file__).resolve().parents[4] / "shared/data/cartesian"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there")

DEFECTS = {"named condition", "trailing comma"}
"""Here the reference is known to be wrong, and the language's manual is followed."""

ONE = [
    "only JeOS.27",
    "only i440fx",
    "only smp2",
    "only qcow2",
    "only virtio_net",
    "only virtio_blk",
    "kill_vm = yes",
    "backup_image_before_testing = yes",
    "restore_image_after_testing = yes",
    "qemu_img_binary = /usr/bin/qemu-img",
    "nettype = bridge",
    "netdst = virbr0",
    "qemu_binary = /usr/bin/kvm",
    "qemu_img_binary = /usr/bin/qemu-img",
    "qemu_io_binary = /usr/bin/qemu-io",
    "qemu_dst_binary = /usr/bin/kvm",
    "malloc_perturb = yes",
    "only boot",
]

ALL_GUESTS = ["only smp2", "only qcow2", "only virtio_net", "only virtio_blk", "only boot"]


@pytest.mark.parametrize("name", ["cases.jsonl", "probes.jsonl"])
def test_small_texts(name: str) -> None:
    faults = []
    with open(DATA / name, encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    assert cases
    for case in cases:
        if case["test"] in DEFECTS:
            continue
        # The reference fails only when it expands; a bound that is no number is left alone here.
        refused = case["error"] is not None and case["error"] != "ValueError"
        try:
            found = expand(case)
        except (ParserError, MissingIncludeError) as error:
            if not refused or type(error).__name__ != class_of(case["error"]):
                faults.append(f"{case['test']}: {error}")
            continue
        if refused or (case["expect"] is not None and found != case["expect"]):
            faults.append(f"{case['test']}: {found}")
    assert not faults, "\n\n".join(faults)


def test_matrix_down_to_one_variant() -> None:
    check_matrix((DATA / "expected-boot.jsonl").read_text().splitlines(), ONE)


def test_matrix_of_all_guests() -> None:
    with lzma.open(DATA / "expected-all-guests-boot.jsonl.xz", "rt", encoding="utf-8") as file:
        check_matrix(file, ALL_GUESTS)


def expand(case: Dict[str, Any]) -> List[Dict[str, Any]]:
    parser = Parser(
        defaults=case["defaults"], expand_defaults=case.get("expand_defaults", [])
    )
    parser.parse_string(case["input"])
    for more in case.get("then", []):
        parser.parse_string(more)
    return list(parser.get_dicts())


def class_of(error: str) -> str:
    return error if error == "MissingIncludeError" else "ParserError"


def check_matrix(lines: Iterable[str], statements: List[str]) -> None:
    parser = Parser(str(DATA / "tp-qemu/tests.cfg"))
    for statement in statements:
        parser.parse_string(statement)
    dicts = parser.get_dicts()
    for line in lines:
        expected = json.loads(line)
        found = next(dicts)
        assert list(found)[:3] == ["name", "dep", "shortname"]
        for key in ("name", "shortname", "dep"):
            assert found.pop(key) == expected[key]
        assert found == expected["params"]
    assert next(dicts, None) is None
