"""Which commits a tag released: those that no tag before it had."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from exporters.repositories.history.commits import Commit
from exporters.repositories.history.lines import Graph, ancestors, line


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """A tag and the commit that it names. `at`: when it was made, of a bare one when its commit was."""

    at: datetime
    name: str
    sha: str


@dataclass(frozen=True, slots=True)
class Release:
    """What a tag brought. `line` is its own line, oldest first, empty when all was released before.

    `is_first`: nothing was released before, so that nobody can tell since when its commits waited; only the tag's own
    commit is in its line then.
    """

    tag: Tag
    line: tuple[Commit, ...]
    is_first: bool = False


def releases(graph: Graph, tags: Sequence[Tag], *, has_earlier: bool) -> Iterator[Release]:
    """What each of the tags (in order) released. `graph` is all that can be reached from them and from no earlier tag.

    A tag on a release branch is compared with all tags before it, on whatever branch they are: what one of them had was
    released then. So the newest tag that it descends from bounds it, not the one before it in time.
    """
    released: set[str] = set()
    for number, tag in enumerate(tags):
        is_first = number == 0 and not has_earlier
        own = line(graph, tag.sha, released)
        yield Release(tag, tuple(own[-1:] if is_first else own), is_first)
        released |= ancestors(graph, [tag.sha], released)
