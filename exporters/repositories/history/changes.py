"""Changes, as a line of history tells of them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from exporters.events.translating import conventions
from exporters.repositories.history.commits import Commit, moment
from exporters.repositories.history.lines import Arrival
from exporters.repositories.telling import SeenChange

_MERGED_BRANCH: Final = re.compile(
    r"Merge (?:pull request #\d+ from (?P<pull>\S+)|(?:remote-tracking )?branch '(?P<branch>[^']+)')"
)
_REVERTED_TITLE: Final = re.compile(r'^\s*Revert "(?P<title>.+)"(?: \(#\d+\))?\s*$', re.MULTILINE)
_NOTHING: Final = ('Revert "Revert ', "Reapply ")
Titles = Mapping[str, str]


def merged_times(commits: Sequence[Commit], now: datetime, latest: datetime) -> dict[str, datetime]:
    """When each commit of a line (oldest first) got there: when it was committed.

    Where that is no time of a clock that goes right, when it was authored, else when the next one came, else now.
    """
    times: dict[str, datetime] = {}
    newer = now
    for commit in reversed(commits):
        newer = moment(commit.committed, latest) or moment(commit.authored, latest) or newer
        times[commit.sha] = newer
    return times


def first_commit_at(brought: Iterable[Commit], latest: datetime) -> datetime | None:
    """When work on a change began: the earliest author's date that a clock can have told."""
    return min((at for commit in brought if (at := moment(commit.authored, latest)) is not None), default=None)


def change_of(
    arrival: Arrival, *, merged_at: datetime, latest: datetime, reverted: Callable[[str], str], services: Sequence[str]
) -> SeenChange:
    """The change that an arrival on the line is. `reverted` finds a commit by its title."""
    commit = arrival.commit
    return SeenChange(
        number=f"@{commit.sha}",
        revision=commit.sha,
        merged_at=merged_at,
        first_commit_at=first_commit_at(arrival.brought, latest),
        services=tuple(services),
        reverts=reverts(arrival, reverted),
        remedies=conventions.remedied(commit.message),
        title=commit.title,
        branch=merged_branch(commit.message),
    )


def reverts(arrival: Arrival, reverted: Callable[[str], str]) -> str:
    """What it takes back: what its own message says, else what the commits of the merge say if all of them revert."""
    own = _reverts(arrival.commit, reverted)
    if own or not arrival.commit.is_merge:
        return own
    sides = [_reverts(commit, reverted) for commit in arrival.brought]
    return sides[-1] if sides and all(sides) else ""


def merged_branch(message: str) -> str:
    """The branch that a merge names in its message, without the owner of a fork."""
    found = _MERGED_BRANCH.match(message.lstrip())
    if found is None:
        return ""
    return found["branch"] if found["branch"] else found["pull"].partition("/")[2]


def _reverts(commit: Commit, reverted: Callable[[str], str]) -> str:
    if said := conventions.reverted(commit.title, commit.message):
        return said
    found = _REVERTED_TITLE.search(commit.message)
    if found is None or commit.title.startswith(_NOTHING):
        return ""
    return reverted(found["title"])
