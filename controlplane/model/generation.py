"""A complete set of files that replaces another one as a whole."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file by its name (no folders) and its text, which is written as UTF-8."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Generation:
    """Files that belong together, sorted by name; `id` is a hash of their content."""

    id: str
    files: tuple[TextFile, ...]


@dataclass(frozen=True, slots=True)
class GoodCopy:
    """The copy of a generation that was last verified to run. `marking` tells one marking of it from another."""

    copy: str
    marking: str
