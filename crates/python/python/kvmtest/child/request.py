"""What a child is asked to run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import kvmtest

VERSION = 1
"""The version of the protocol; another one is refused."""


class BadRequest(Exception):
    """The request cannot be understood."""


@dataclass(frozen=True)
class Request:
    """What a child is asked to run."""

    version: int
    parent: int
    """The process that waits for the result."""
    subtest: str
    """`boot` for `run_boot`."""
    file: str
    """The file that it stands in."""
    identity: dict[str, Any]
    """Which test it is, and where its things lie."""
    env: str
    """The env file."""
    params: kvmtest.Params

    @staticmethod
    def read(text: bytes, file: str) -> Request:
        """Reads a request for the subtest in `file`."""
        try:
            document = json.loads(text)
            version = document["version"]
        except (ValueError, KeyError, TypeError) as error:
            raise BadRequest(f"no request: {error}") from error
        # Of another version's request nothing else is known.
        if version != VERSION:
            raise BadRequest(f"the request has version {version}, not {VERSION}")
        try:
            return Request(
                version=version,
                parent=int(document["parent"]),
                subtest=str(document["subtest"]),
                file=file,
                identity=dict(document["identity"]),
                env=str(document["env"]),
                params=kvmtest.Params.from_json(json.dumps(document["params"])),
            )
        except (ValueError, KeyError, TypeError, kvmtest.Error) as error:
            raise BadRequest(f"a broken request: {error!r}") from error
