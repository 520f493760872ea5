"""Changes and releases of one repository, put together from what it is asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from controlplane.model.event import JSON
from exporters.repositories.history.changes import change_of, merged_times
from exporters.repositories.history.commits import Commit
from exporters.repositories.history.lines import Arrival, Graph, arrivals, line
from exporters.repositories.history.releases import Release, Tag, releases
from exporters.repositories.model import ChangesFrom, Repository, RepositoryService
from exporters.repositories.patterns import fits, is_pre_release, touches
from exporters.repositories.ports import Reading
from exporters.repositories.telling import NO_SERVICE, SeenChange, SeenDeployment, Teller

PAGE: Final = 500  # events that are taken in one transaction
MOST_COPIES: Final = 5000  # of commits of a history that was rewritten
Events = tuple[dict[str, JSON], ...]


class NamedTag(Protocol):
    """A tag before anybody knows when it was made."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    def placed(self, latest: datetime) -> Tag | None:
        """With its time."""
        ...


class Asked(Protocol):
    """What answers about a history."""

    def history(self, included: Iterable[str], excluded: Iterable[str]) -> dict[str, Commit]:
        """All commits that can be reached from some and from none of the others."""
        ...

    def touched(self, found: Sequence[Commit]) -> Iterator[tuple[str, list[str]]]:
        """Each of the commits with the files in which it differs from its first parent."""
        ...


class Deliveries:
    """What one reading finds. Everything is asked anew; nothing is remembered from one reading to the next."""

    def __init__(self, repository: Repository, asked: Asked, reading: Reading) -> None:
        self._repository = repository
        self._asked = asked
        self._reading = reading
        self._teller = Teller(repository.place.name, reading.edition)
        self._has_paths = any(service.paths for service in repository.services)

    def changes(self, tip: str, excluded: str, copies: Mapping[str, str]) -> Iterator[tuple[Events, str, str]]:
        """Pages of changes, oldest first: events, the newest commit of the page, and how far it has come."""
        graph = self._asked.history([tip], [excluded])
        commits = line(graph, tip)
        times = merged_times(commits, self._reading.now, self._reading.latest)
        done = 0
        for chunk in _chunks(list(arrivals(graph, commits)), PAGE):
            services = self._services([each.commit for each in chunk])
            told = self._untold(graph, chunk, times, services, copies)
            done += len(chunk)
            yield tuple(told), chunk[-1].commit.sha, f"{done:,} of {len(commits):,} commits of the branch"

    def releases(self, tags: Sequence[NamedTag], copies: Mapping[str, str]) -> Iterator[tuple[Events, str]]:
        """Pages of tags that are new: the changes that nobody told of yet, and a deployment of each service."""
        for patterns, services in self._by_tags().items():
            named = [each for each in tags if self._counts(each.name, patterns)]
            placed = sorted(tag for each in named if (tag := each.placed(self._reading.latest)) is not None)
            yield from self._released(placed, services, copies)

    def copies(self, before: str, tip: str, common: str, known: Mapping[str, str]) -> dict[str, str]:
        """New commits by the old ones that they are copies of: same author, time of authoring, and title."""
        old = {commit.identity: commit.sha for commit in self._asked.history([before], [common]).values()}
        new = self._asked.history([tip], [common]).values()
        found = {commit.sha: old[commit.identity] for commit in new if commit.identity in old}
        merged = {**known, **{sha: known.get(other, other) for sha, other in found.items()}}
        return dict(list(merged.items())[-MOST_COPIES:])

    def _counts(self, name: str, patterns: Sequence[str]) -> bool:
        terms = self._repository.deployments
        if not fits(name, patterns) or fits(name, terms.excluded):
            return False
        return terms.with_pre_releases or not is_pre_release(name)

    def _by_tags(self) -> dict[tuple[str, ...], list[RepositoryService]]:
        found: dict[tuple[str, ...], list[RepositoryService]] = {}
        for service in self._repository.services:
            found.setdefault(service.tags, []).append(service)
        return found

    def _released(
        self, tags: Sequence[Tag], services: Sequence[RepositoryService], copies: Mapping[str, str]
    ) -> Iterator[tuple[Events, str]]:
        wanted = self._new([tag for tag in tags if tag.at >= self._reading.since], services)
        if not wanted:
            return
        first = min(wanted)
        earlier, later = [tag for tag in tags if tag < first], [tag for tag in tags if tag >= first]
        graph = self._asked.history({tag.sha for tag in later}, {tag.sha for tag in earlier})
        told: list[dict[str, JSON]] = []
        done = 0
        for release in releases(graph, later, has_earlier=bool(earlier)):
            if release.tag not in wanted:
                continue
            told += self._release(graph, release, services, copies)
            done += 1
            if len(told) >= PAGE or done == len(wanted):
                yield tuple(told), f"{done:,} of {len(wanted):,} tags"
                told = []

    def _new(self, tags: Sequence[Tag], services: Sequence[RepositoryService]) -> set[Tag]:
        """Tags that somebody has to be told of still."""
        ids = {
            (self._teller.source, self._teller.deployment_id(self._key(tag, service))): tag
            for tag in tags
            for service in services
        }
        known = self._reading.known(ids)
        return {tag for id_, tag in ids.items() if id_ not in known}

    def _release(
        self, graph: Graph, release: Release, services: Sequence[RepositoryService], copies: Mapping[str, str]
    ) -> Events:
        found = self._arrivals(graph, release.line)
        touched = self._services([each.commit for each in found])
        times = merged_times([each.commit for each in found], self._reading.now, self._reading.latest)
        told = self._untold(graph, found, times, touched, copies)
        by_service = {
            service.name: tuple(
                f"@{copies.get(commit.sha, commit.sha)}"
                for arrival in reversed(found)
                if self._concerns(arrival, service, touched)
                for commit in self._parts(arrival)
            )
            for service in services
        }
        run = f"{self._repository.place.name}@{release.tag.name}"
        is_told_elsewhere = self._repository.changes is ChangesFrom.NONE
        for service in services:
            told.append(
                self._teller.deployment(
                    SeenDeployment(
                        key=self._key(release.tag, service),
                        at=release.tag.at,
                        service=service.name,
                        environment=self._repository.deployments.environment,
                        revision=release.tag.sha,
                        version=release.tag.name,
                        changes=None if is_told_elsewhere else by_service[service.name],
                        run=run if len(services) > 1 else "",
                    )
                )
            )
        return tuple(told)

    def _arrivals(self, graph: Graph, commits: Sequence[Commit]) -> list[Arrival]:
        """What a release's line brought; what merges brought is not looked for where all were told of already."""
        source = self._teller.source
        if self._repository.changes is ChangesFrom.MERGES:
            ids = {(source, self._teller.change_id(f"@{commit.sha}")) for commit in commits}
            if len(self._reading.known(ids)) == len(ids):
                return [Arrival(commit, (commit,)) for commit in commits]
        return list(arrivals(graph, commits))

    def _untold(
        self,
        graph: Graph,
        found: Sequence[Arrival],
        times: Mapping[str, datetime],
        services: Mapping[str, tuple[str, ...]],
        copies: Mapping[str, str],
    ) -> list[dict[str, JSON]]:
        """Events of the changes that nobody was told of yet."""
        if self._repository.changes is ChangesFrom.NONE:
            return []
        source = self._teller.source
        ids = {
            arrival.commit.sha: {(source, self._teller.change_id(f"@{each.sha}")) for each in self._parts(arrival)}
            for arrival in found
            if arrival.commit.sha not in copies
        }
        known = self._reading.known(set[tuple[str, str]]().union(*ids.values()))
        return [
            event
            for arrival in found
            if not ids.get(arrival.commit.sha, known) <= known
            for event in self._told(graph, arrival, times[arrival.commit.sha], services)
            if (source, event["id"]) not in known
        ]

    def _told(
        self, graph: Graph, arrival: Arrival, merged_at: datetime, services: Mapping[str, tuple[str, ...]]
    ) -> list[dict[str, JSON]]:
        def reverted(title: str) -> str:
            return next(
                (each.sha for each in graph.values() if each.title == title and each.sha != arrival.commit.sha), ""
            )

        changes: list[SeenChange] = []
        for commit in self._parts(arrival):
            part = arrival if commit.sha == arrival.commit.sha else Arrival(commit, (commit,))
            changes.append(
                change_of(
                    part, merged_at=merged_at, latest=self._reading.latest, reverted=reverted,
                    services=services.get(arrival.commit.sha, ()),
                )
            )  # fmt: skip
        return [self._teller.change(change) for change in changes]

    def _parts(self, arrival: Arrival) -> list[Commit]:
        """The commits that are changes: the one on the line, or all that are no merges."""
        if self._repository.changes is not ChangesFrom.COMMITS or not arrival.commit.is_merge:
            return [arrival.commit]
        return [commit for commit in arrival.brought if not commit.is_merge]

    def _services(self, commits: Sequence[Commit]) -> dict[str, tuple[str, ...]]:
        """Services that each commit touches; nothing where every change is one of all services."""
        if not self._has_paths:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for sha, files in self._asked.touched(commits):
            names = [each.name for each in self._repository.services if touches(files, each.paths)]
            found[sha] = tuple(names) or (NO_SERVICE,)
        return found

    def _concerns(self, arrival: Arrival, service: RepositoryService, touched: Mapping[str, tuple[str, ...]]) -> bool:
        return not self._has_paths or service.name in touched.get(arrival.commit.sha, ())

    def _key(self, tag: Tag, service: RepositoryService) -> str:
        """Of a tag that was moved the other commit is another deployment: the first one had been made."""
        return f"{tag.name}/{tag.sha[:12]}/{self._repository.deployments.environment}/{service.name}"


def _chunks(items: list[Arrival], size: int) -> Iterator[list[Arrival]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
