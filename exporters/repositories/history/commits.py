"""Commits, as `git log` writes them, and the times that they tell."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

FORMAT: Final = "%H%x00%P%x00%at%x00%ct%x00%ae%x00%B"
"""Six fields; with `-z` a NUL ends each commit."""
FIELDS: Final = 6
LONGEST_MESSAGE: Final = 20_000
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)  # a clock that was never set says 1970; git is of 2005
_MOST_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Commit:
    """`authored` and `committed` are seconds since 1970, as whoever made it has them: any number may stand there."""

    sha: str
    parents: tuple[str, ...]
    authored: int
    committed: int
    author: str
    message: str

    @property
    def is_merge(self) -> bool:
        """Whether it joins two lines."""
        return len(self.parents) > 1

    @property
    def title(self) -> str:
        """The first line of its message."""
        return self.message.lstrip().partition("\n")[0].strip()

    @property
    def identity(self) -> tuple[int, str, str]:
        """What stays the same when history is rewritten: when it was authored, by whom, and its title."""
        return self.authored, self.author, self.title


def commits(fields: Iterable[bytes]) -> Iterator[Commit]:
    """Commits from their fields, six each. What is cut off in the middle is left out."""
    row: list[bytes] = []
    for field in fields:
        row.append(field)
        if len(row) == FIELDS:
            yield _commit(row)
            row = []


def moment(seconds: int, latest: datetime) -> datetime | None:
    """The time; None when no clock that goes right has told it: before 1990, or after `latest`."""
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if EARLIEST <= at <= latest else None


def _commit(row: list[bytes]) -> Commit:
    sha, parents, authored, committed, author, message = row
    return Commit(
        sha=sha.decode("ascii", "replace").strip(),
        parents=tuple(parents.decode("ascii", "replace").split()),
        authored=_number(authored),
        committed=_number(committed),
        author=author.decode(errors="replace"),
        message=message[:LONGEST_MESSAGE].decode(errors="replace"),
    )


def _number(text: bytes) -> int:
    try:
        return int(text[:_MOST_DIGITS])
    except ValueError:
        return 0
