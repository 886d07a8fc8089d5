"""`python -m kvmtest …`: the program `kvmtest`; with `child`, what it calls to run a subtest."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Runs a subtest, or becomes the program."""
    if sys.argv[1:2] == ["child"]:
        from . import child

        return child.main(sys.argv[2:])
    from ._program import program
    from .errors import HostError

    try:
        path = program()
    except HostError as error:
        print(error, file=sys.stderr)
        return 3
    os.execv(path, [path, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
