"""Releases of a host as deployments: which are new, and the changes that each brought."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from controlplane.model.event import JSON
from exporters.repositories.adapters.hosted import Hosted, services_released
from exporters.repositories.history.commits import Commit
from exporters.repositories.history.compared import Compare, HostRelease, brought, number_of
from exporters.repositories.model import ChangesFrom, Repository, RepositoryService
from exporters.repositories.ports import Reading
from exporters.repositories.retelling import collected_id
from exporters.repositories.telling import SeenDeployment


@dataclass(slots=True)
class Releases:
    """One turn. `revision_of` asks for a tag's commit (empty: it is gone), `compare` for what lies between two.

    `request` is how events of a request are called: `pull_request` or `merge_request`.
    """

    repository: Repository
    hosted: Hosted
    reading: Reading
    revision_of: Callable[[str], str]
    compare: Compare
    request: str
    _revisions: dict[str, str] = field(default_factory=dict, init=False)

    def told(self, releases: Iterable[HostRelease]) -> Iterator[tuple[dict[str, JSON], ...]]:
        """A page for each release that is new, in the order of time."""
        groups: dict[tuple[str, ...], list[HostRelease]] = {}
        for release in sorted(releases, key=lambda each: (each.at, each.tag)):
            names = tuple(each.name for each in services_released(self.repository, release.tag))
            if names:
                groups.setdefault(names, []).append(release)
        for names, group in groups.items():
            services = [each for each in self.repository.services if each.name in names]
            for number, release in enumerate(group):
                if self._is_new(release, services):
                    yield self._deployed(release, group[:number][::-1], services)

    def _is_new(self, release: HostRelease, services: Sequence[RepositoryService]) -> bool:
        if not self.reading.since <= release.at <= self.reading.latest:
            return False
        teller = self.hosted.teller(self.reading.edition)
        ids = [(teller.source, teller.deployment_id(self._key(release, each))) for each in services]
        return len(self.reading.known(ids)) < len(ids)

    def _deployed(
        self, release: HostRelease, earlier: Sequence[HostRelease], services: Sequence[RepositoryService]
    ) -> tuple[dict[str, JSON], ...]:
        revision = self._revision(release.tag)
        if not revision:
            return ()
        teller, changes = self.hosted.teller(self.reading.edition), self._changes(revision, earlier)
        run = f"{self.hosted.name}@{release.tag}" if len(services) > 1 else ""
        return tuple(
            teller.deployment(
                SeenDeployment(
                    key=self._key(release, service), at=release.at, service=service.name,
                    environment=self.repository.deployments.environment, revision=revision, version=release.tag,
                    changes=changes, run=run, url=release.url,
                )
            )
            for service in services
        )  # fmt: skip

    def _changes(self, revision: str, earlier: Sequence[HostRelease]) -> tuple[str, ...] | None:
        """Requests by their numbers; None where they are worked out from the revision: rebased ones leave no trace."""
        if self.repository.changes is ChangesFrom.NONE or any(each.paths for each in self.repository.services):
            return None
        bases = (sha for each in earlier if (sha := self._revision(each.tag)))
        found = brought(self.compare, revision, [sha for sha, _ in zip(bases, range(5), strict=False)])
        return None if found is None else self._named(found) or (None if found else ())

    def _named(self, commits: Sequence[Commit]) -> tuple[str, ...]:
        """Those that we were told of."""
        numbers = {number for commit in commits if (number := number_of(commit))}
        by_id = {collected_id(f"{self.request}/{number}", self.reading.edition): number for number in numbers}
        known = self.reading.known([(self.hosted.source, id_) for id_ in by_id])
        return tuple(sorted((by_id[id_] for _, id_ in known), key=int, reverse=True))

    def _revision(self, tag: str) -> str:
        if tag not in self._revisions:
            self._revisions[tag] = self.revision_of(tag)
        return self._revisions[tag]

    def _key(self, release: HostRelease, service: RepositoryService) -> str:
        return f"release/{release.tag}/{self.repository.deployments.environment}/{service.name}"
