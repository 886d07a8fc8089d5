from typing import Any, Dict, Iterator, List, Optional

__version__: str

# What `kvmtest.cartesian` is made of.

class CartesianReader:
    """Reads texts one after another, all into the same outermost scope."""

    def __new__(cls) -> CartesianReader: ...
    def read(self, name: str, text: str) -> List[Dict[str, Any]]:
        """Reads a text, and gives back the fields of each Diagnostic."""

    def variants(self, expand_defaults: Optional[List[str]] = None) -> CartesianVariants:
        """An iterator over the dictionaries of what was read so far."""

    def copy(self) -> CartesianReader:
        """Another reader that has read the same, and goes on by itself."""

class CartesianVariants(Iterator[Dict[str, Any]]):
    """The dictionaries of a configuration, one after another."""

    def __iter__(self) -> CartesianVariants: ...
    def __next__(self) -> Dict[str, Any]: ...
    def close(self) -> None:
        """Ends it: there are no more dictionaries afterwards."""
