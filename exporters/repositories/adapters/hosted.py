"""What GitHub and GitLab have in common: a repository that is known by its address, and services that tags release."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from controlplane.model.event import JSON
from controlplane.ports import Permanent
from exporters.cloudevents.faults import Malformed
from exporters.events.entities import repository_name
from exporters.events.translating import making
from exporters.events.translating.reading import Node, root
from exporters.repositories.adapters.asking import Asking
from exporters.repositories.model import Repository, RepositoryService
from exporters.repositories.patterns import fits, is_pre_release, touches
from exporters.repositories.ports import Page, Position
from exporters.repositories.telling import NO_SERVICE, Teller

T = TypeVar("T")
Events = tuple[dict[str, JSON], ...]
CHANGES: Final = "changes"  # in positions: from when on requests are asked for next
DEPLOYMENTS: Final = "deployments"
AT_ONCE: Final = 20  # things that are looked at before what they tell is taken
PAGE: Final = 100
_MOST_OF_ONE_INSTANT: Final = 1000  # pages: a host that leads on and on would be asked for ever
_OVERLAP: Final = timedelta(minutes=2)  # what a host's replicas may lag behind


@dataclass(frozen=True, slots=True)
class Hosted:
    """A repository as its host calls it. `source` is that of events about it, `name` is `host/path`."""

    url: str
    source: str
    name: str
    branch: str

    @property
    def short(self) -> str:
        """The last part of its path."""
        return self.name.rpartition("/")[2]

    def as_github(self) -> dict[str, JSON]:
        """As GitHub's webhooks have it; requests into `branch` are those that count."""
        return {"html_url": self.url, "name": self.short, "default_branch": self.branch}

    def teller(self, edition: int) -> Teller:
        """Who tells of it."""
        return Teller(self.name, edition, self.source)


def told_by(asking: Asking, path: str) -> Node:
    """An answer that is an object."""
    try:
        return root(asking.get(path).data)
    except Malformed:
        raise asking.odd(path) from None


def hosted_at(asking: Asking, path: str, address: str, branch: str) -> Hosted:
    """The repository at a path, whose page stands in the field `address`; without a `branch` its default one."""
    found = told_by(asking, path)
    url, default = found.url(address), found.text("default_branch")
    name = repository_name(url)
    if name.count("/") < 2:
        raise asking.odd(path)
    return Hosted(url, making.address(url), name, branch or default)


@contextmanager
def understood(host: str) -> Iterator[None]:
    """Answers of an unknown shape are `Permanent`."""
    try:
        yield
    except Malformed as error:
        raise Permanent(f"{host} answers in an unknown shape: {error.field}: {error.reason}") from None


def in_turn(
    position: Position,
    changes: Callable[[JSON], Iterable[tuple[Events, str]]] | None,
    deployments: Callable[[JSON], Iterable[tuple[Events, JSON, str]]],
    *,
    what: str,
) -> Iterator[Page]:
    """Changes first, then deployments: those then find what they deploy. Each goes on from its own place.

    `what` was done to requests before the time at which their list is asked for next.
    """
    place = dict(position)
    for events, since in changes(place.get(CHANGES)) if changes else ():
        place[CHANGES] = since
        yield Page(events, dict(place), f"requests {what} before {since[:10]}")
    for events, where, note in deployments(place.get(DEPLOYMENTS)):
        place[DEPLOYMENTS] = where
        yield Page(events, dict(place), note)


def services_touched(repository: Repository, files: Iterable[str]) -> Sequence[str]:
    """Names of the services whose paths hold one of the files."""
    found = list(files)
    return [each.name for each in repository.services if touches(found, each.paths)] or [NO_SERVICE]


def services_released(repository: Repository, tag: str) -> list[RepositoryService]:
    """Those that a tag releases; none by a tag that does not count."""
    terms = repository.deployments
    if fits(tag, terms.excluded) or (not terms.with_pre_releases and is_pre_release(tag)):
        return []
    return [each for each in repository.services if fits(tag, each.tags)]


def environment_of(repository: Repository, written: str) -> str:
    """What we call an environment of the host; empty for one that does not count."""
    known = repository.deployments.environments
    return known.get(written, "") if known else written


def in_order_of_change(
    asking: Asking, path: str, query: Mapping[str, str], *, since: str, parameter: str
) -> Iterator[tuple[list[Node], str]]:
    """A list, and after each page the time of its last change: who asks from then on goes on there.

    The list is asked for from a time on each time, never by the number of its page (but for what changed in one
    instant), so that nothing is passed over when something else is changed meanwhile. It ends a little before the last
    change.
    """
    page, begin = 1, since
    while True:
        asked = {**query, parameter: since, "per_page": str(PAGE), "page": str(page)}
        answer = asking.get(path, asked)
        if not isinstance(answer.data, list):
            raise asking.odd(path)
        nodes = [root(row) for row in answer.data]
        last = making.written(nodes[-1].when("updated_at")) if nodes else since
        if not answer.next:
            end = max(datetime.fromisoformat(last) - _OVERLAP, datetime.fromisoformat(begin))
            yield nodes, making.written(end)
            return
        page, since = (page + 1, since) if last == since else (1, last)
        if page > _MOST_OF_ONE_INSTANT:
            raise asking.odd(path)
        yield nodes, since


def chunks(items: Sequence[T], size: int = AT_ONCE) -> Iterator[Sequence[T]]:
    """A few at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
