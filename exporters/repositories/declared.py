"""Repository documents as values, and everything that is wrong with them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from controlplane.problems import Problem, Severity
from controlplane.specfile import Declared, Document, declared_by_name
from exporters.repositories.faults import RULE, Faults
from exporters.repositories.model import (
    ChangesFrom,
    DeploymentsFrom,
    DeploymentTerms,
    Host,
    Place,
    Repository,
    RepositoryService,
)
from exporters.repositories.patterns import MOST_STARS
from exporters.repositories.places import place_of
from exporters.repositories.spec import RepositoryDocument, RepositorySpec, ServicePart

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LENGTH: Final = re.compile(r"([1-9][0-9]{0,4})([mhdw])", re.ASCII)
_SIZES: Final = {
    "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1),
}  # fmt: skip
_LEAST_EVERY: Final = timedelta(minutes=1)
_MOST_EVERY: Final = timedelta(days=1)
_LEAST_SINCE: Final = timedelta(days=1)
_MOST_SINCE: Final = timedelta(days=7300)
_APIS: Final = (DeploymentsFrom.RELEASES, DeploymentsFrom.DEPLOYMENTS, DeploymentsFrom.PIPELINES, DeploymentsFrom.NONE)
_DEPLOYMENTS: Final[Mapping[Host, tuple[DeploymentsFrom, ...]]] = {  # the first is the standard
    Host.GIT: (DeploymentsFrom.TAGS, DeploymentsFrom.NONE),
    Host.GITHUB: (DeploymentsFrom.DEPLOYMENTS, *(each for each in _APIS if each is not DeploymentsFrom.DEPLOYMENTS)),
    Host.GITLAB: (DeploymentsFrom.DEPLOYMENTS, *(each for each in _APIS if each is not DeploymentsFrom.DEPLOYMENTS)),
}
_CHANGES: Final[Mapping[Host, tuple[ChangesFrom, ...]]] = {
    Host.GIT: (ChangesFrom.MERGES, ChangesFrom.COMMITS, ChangesFrom.NONE),
    Host.GITHUB: (ChangesFrom.PULL_REQUESTS, ChangesFrom.NONE),
    Host.GITLAB: (ChangesFrom.PULL_REQUESTS, ChangesFrom.NONE),
}
_BY_TAG: Final = (DeploymentsFrom.TAGS, DeploymentsFrom.RELEASES)


def declared(documents: Sequence[Document]) -> Declared[Repository]:
    """The repositories that these documents declare, by name. One with a mistake is left out; its problems are told."""

    def read(document: Document, value: RepositoryDocument) -> tuple[Repository | None, Sequence[Problem]]:
        faults = Faults(document)
        found = _Reading(faults, value).repository()
        return (None if faults.has_errors else found), faults.problems

    found = declared_by_name(documents, RepositoryDocument, read)
    return Declared(found.values, (*found.problems, *_read_twice(found.values, documents)))


def _read_twice(repositories: Sequence[Repository], documents: Sequence[Document]) -> Iterator[Problem]:
    """Two that tell of the same deployments: each would be there twice under other names, or not at all."""
    by_name = {
        each.value.metadata.name: each for each in documents if isinstance(each.value, RepositoryDocument)
    }  # fmt: skip
    first: dict[tuple[str, str], Repository] = {}
    for repository in repositories:
        key = (repository.place.name, repository.place.branch)
        other = first.setdefault(key, repository)
        document = by_name.get(repository.name)
        if other is repository or document is None:
            continue
        message = f"{repository.place.name} is read by the Repository {other.name} already"
        hint = "name all of its services in one document: a change is told once, with the services that it touches"
        yield document.problem(
            "spec", repository.place.host.value, message=message, hint=hint, rule=RULE, severity=Severity.WARNING,
            on_key=True,
        )  # fmt: skip


class _Reading:
    def __init__(self, faults: Faults, value: RepositoryDocument) -> None:
        self._faults = faults
        self._spec: RepositorySpec = value.spec
        self._name = value.metadata.name

    def repository(self) -> Repository | None:
        faults = self._faults
        if not _NAME.fullmatch(self._name):
            hint = "lower-case letters, digits and `-`, at most 63"
            faults.error("metadata", "name", message=f"`{self._name[:80]}` is not a name", hint=hint)
        place = place_of(faults, self._spec, self._name)
        since = self._length("since", self._spec.since, _LEAST_SINCE, _MOST_SINCE)
        every = self._length("every", self._spec.every, _LEAST_EVERY, _MOST_EVERY)
        if place is None:
            return None
        deployments, changes = self._deployments(place), self._changes(place)
        services = self._services(deployments)
        if deployments.source is DeploymentsFrom.NONE and changes is ChangesFrom.NONE:
            faults.error("spec", message="nothing is collected", hint="leave out one of the two `from: none`")
        return Repository(
            name=self._name,
            place=place,
            services=services,
            deployments=deployments,
            changes=changes,
            since=since,
            every=every,
            source=faults.document.position_of("metadata", "name"),
        )

    def _deployments(self, place: Place) -> DeploymentTerms:
        part, possible = self._spec.deployments, _DEPLOYMENTS[place.host]
        source = DeploymentsFrom(part.source) if part.source else possible[0]
        at = ("spec", "deployments")
        if source not in possible:
            self._impossible(
                *at, "from", host=place.host, written=source.value, possible=[each.value for each in possible]
            )
        by_tag = source in _BY_TAG
        for key in ("tags", "exclude", "preReleases"):
            if not by_tag and self._faults.document.has(*at, key):
                self._without_effect(*at, key, source=source)
        if source is not DeploymentsFrom.DEPLOYMENTS and part.environments:
            self._without_effect(*at, "environments", source=source)
        if source is DeploymentsFrom.DEPLOYMENTS and self._faults.document.has(*at, "environment"):
            message = "deployments name their environments themselves"
            hint = "write environments: {NAME THERE: NAME HERE} for those that count"
            self._faults.warning(*at, "environment", message=message, hint=hint, on_key=True)
        self._check_workflow(place, source, part.workflow)
        return DeploymentTerms(
            source=source,
            environment=part.environment,
            environments=dict(part.environments),
            excluded=tuple(part.exclude),
            with_pre_releases=part.pre_releases,
            workflow=part.workflow or "",
        )

    def _check_workflow(self, place: Place, source: DeploymentsFrom, workflow: str | None) -> None:
        at = ("spec", "deployments", "workflow")
        is_needed = place.host is Host.GITHUB and source is DeploymentsFrom.PIPELINES
        if is_needed and not workflow:
            message = "no workflow: each run of every workflow would be a deployment"
            self._faults.error("spec", "deployments", message=message, hint="workflow: deploy.yml")
        elif workflow and not is_needed:
            self._without_effect(*at, source=source)
        elif workflow and not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", workflow):
            message = f"`{workflow[:80]}` is not a workflow's file"
            self._faults.error(*at, message=message, hint="its name in .github/workflows, such as deploy.yml")

    def _changes(self, place: Place) -> ChangesFrom:
        written, possible = self._spec.changes.source, _CHANGES[place.host]
        source = ChangesFrom(written) if written else possible[0]
        if source not in possible:
            self._impossible(
                "spec", "changes", "from", host=place.host, written=source.value,
                possible=[each.value for each in possible],
            )  # fmt: skip
        return source

    def _services(self, deployments: DeploymentTerms) -> tuple[RepositoryService, ...]:
        standard = tuple(self._spec.deployments.tags or ("*",))
        written = self._spec.services
        for number, part in enumerate(written):
            self._check_service(number, part, deployments.source)
            if part.name in [each.name for each in written[:number]]:
                self._faults.error("spec", "services", number, "name", message=f"`{part.name}` is there twice")
        if not written:
            return (RepositoryService(self._name, tags=standard),)
        return tuple(
            RepositoryService(part.name, tuple(part.paths), tuple(part.tags or standard)) for part in written
        )  # fmt: skip

    def _check_service(self, number: int, part: ServicePart, source: DeploymentsFrom) -> None:
        at = ("spec", "services", number)
        if part.tags is not None and source not in _BY_TAG:
            self._without_effect(*at, "tags", source=source)
        for place, path in enumerate(part.paths):
            if fault := _path_fault(path):
                self._faults.error(*at, "paths", place, message=fault[0], hint=fault[1])

    def _length(self, key: str, text: str, least: timedelta, most: timedelta) -> timedelta:
        match = _LENGTH.fullmatch(text)
        length = int(match[1]) * _SIZES[match[2]] if match else least
        if match is None:
            self._faults.error("spec", key, message=f"`{text}` is not a length", hint="such as 5m, 1h or 90d")
        elif not least <= length <= most:
            message = f"must be between {_shown(least)} and {_shown(most)}"
            self._faults.error("spec", key, message=message)
        return min(max(length, least), most)

    def _without_effect(self, *at: str | int, source: DeploymentsFrom) -> None:
        message = f"changes nothing with `from: {source.value}`"
        self._faults.warning(*at, message=message, hint="leave it out", on_key=True)

    def _impossible(self, *at: str, host: Host, written: str, possible: Sequence[str]) -> None:
        meant = {
            "tags": "tags are read by git: write git: {url: …}",
            "merges": "merges are read by git: write git: {url: …}",
            "commits": "commits are read by git: write git: {url: …}",
        }
        hint = meant.get(written, "") or f"{host.value} has {', '.join(possible)}"
        self._faults.error(*at, message=f"`{written}` cannot be read from {host.value}", hint=hint)


def _path_fault(path: str) -> tuple[str, str] | None:
    if path.startswith(("/", "./")) or ".." in path.split("/"):
        return f"`{path[:80]}` does not begin at the repository's root", "write it without / or . before it"
    if path.startswith("!"):
        return "globs take in, they do not leave out", "name the paths that count"
    if path.count("*") - path.count("**") > MOST_STARS:
        return f"more than {MOST_STARS} stars", "write several globs"
    if "\\" in path or "[" in path or "{" in path:
        return f"`{path[:80]}` has characters that mean nothing in these globs", "`*`, `**` and `?` are all there are"
    return None


def _shown(length: timedelta) -> str:
    return f"{length.days}d" if length.days else f"{length.seconds // 60}m"
