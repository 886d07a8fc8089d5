"""Where the program `kvmtest` is, which guards the machines that are started from here."""

from __future__ import annotations

import os
import sysconfig

from .errors import HostError

__all__ = ["program"]


def program() -> str:
    """The path of the program `kvmtest`.

    It is the one that came with this package: beside it where it was laid out by `make python` or
    `make install`, among the scripts where it was installed from a wheel; else the first one on
    `PATH`. There is none: `HostError`.
    """
    for path in _places():
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise HostError(
        "the program `kvmtest` is neither beside this package "
        f"({os.path.dirname(os.path.abspath(__file__))}) nor on PATH: "
        "build it (`make run` in the checkout), or install the wheel"
    )


def _places() -> list[str]:
    package = os.path.dirname(os.path.realpath(__file__))
    around = os.path.dirname(package)
    places = []
    if os.path.basename(around) == "python":
        # target/release/python/kvmtest, and PREFIX/lib/kvmtest/python/kvmtest.
        places.append(os.path.join(around, "..", "kvmtest"))
        places.append(os.path.join(around, "..", "..", "..", "bin", "kvmtest"))
    places.extend(_of_the_wheel())
    places.append(os.path.join(sysconfig.get_path("scripts"), "kvmtest"))
    search = os.environ.get("PATH", os.defpath).split(os.pathsep)
    # A relative entry would be what lies in the working directory: nobody's program.
    places.extend(os.path.join(place, "kvmtest") for place in search if os.path.isabs(place))
    return [os.path.normpath(place) for place in places]


def _of_the_wheel() -> list[str]:
    """The program in the record of the files that the wheel brought, wherever they went."""
    from importlib import metadata

    try:
        files = metadata.distribution("kvmtest").files or []
    except metadata.PackageNotFoundError:
        return []
    return [
        str(file.locate())
        for file in files
        if file.name == "kvmtest" and file.parent.name in ("bin", "Scripts")
    ]
