"""What a release of a host brought, by comparing its commit with those of the releases before it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from exporters.repositories.history.commits import Commit
from exporters.repositories.history.lines import line

MOST_COMPARED: Final = 5  # releases before one, as far as they are on other branches
_NUMBERS: Final = (
    re.compile(r"Merge pull request #(\d{1,18}) from "),
    re.compile(r"[^\n]* \(#(\d{1,18})\)(?:\n|$)"),
    re.compile(r"(?s).*^See merge request [^\s!]*!(\d{1,18})\s*$", re.MULTILINE),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Commits that one revision has and the other has not. `is_after`: it has everything of the other."""

    commits: Mapping[str, Commit]
    is_after: bool


Compare = Callable[[str, str], Comparison | None]
"""(base, head); None when it is too much to be told."""


@dataclass(frozen=True, slots=True)
class HostRelease:
    """A release as a host has it."""

    at: datetime
    tag: str
    url: str = ""


def brought(compare: Compare, head: str, earlier: Sequence[str]) -> list[Commit] | None:
    """The commits of the line of `head` that no release before it had, newest first; None when nobody can tell.

    `earlier` are the commits of the releases before, the newest first: more than one is looked at while it is on
    another branch.
    """
    found: Mapping[str, Commit] | None = None
    for base in earlier[:MOST_COMPARED]:
        compared = compare(base, head)
        if compared is None:
            return None
        others = compared.commits
        found = others if found is None else {sha: commit for sha, commit in found.items() if sha in others}
        if compared.is_after:
            break
    return None if found is None else line(found, head)[::-1]


def number_of(commit: Commit) -> str:
    """The number of the request that a commit merges, in the words of its host; empty when it says none."""
    return next((found[1] for pattern in _NUMBERS if (found := pattern.match(commit.message))), "")
