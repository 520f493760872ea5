"""What was seen in a repository, as CloudEvents that hold CDEvents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane.model.event import JSON
from exporters.events.translating import making
from exporters.events.translating.reading import LONGEST_TITLE, line
from exporters.repositories.retelling import collected_id, edited_id

NO_SERVICE: Final = "-"
"""Stands where a change touches none of the declared services: without any, a change is one of all of them."""
MOST_CHANGES: Final = 1000  # that an event may name; of more, they are worked out from its revision
_SOURCE: Final = "/flyball/repositories/"


@dataclass(frozen=True, slots=True)
class SeenChange:
    """A change that was merged. `number` is that of its request, or `@` and its revision."""

    number: str
    revision: str
    merged_at: datetime
    first_commit_at: datetime | None = None
    opened_at: datetime | None = None
    services: tuple[str, ...] = ()
    reverts: str = ""
    remedies: str = ""
    title: str = ""
    url: str = ""
    labels: tuple[str, ...] = ()
    branch: str = ""


@dataclass(frozen=True, slots=True)
class SeenDeployment:
    """A service that was put into an environment. `key` is unique within the repository.

    `changes` are ids of those that it brought, empty when it brought none; None: they are worked out from `revision`.
    """

    key: str
    at: datetime
    service: str
    environment: str
    revision: str
    version: str = ""
    changes: tuple[str, ...] | None = None
    run: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells of one repository. Its events have the same source and ids whoever reads the repository, and when.

    Events of a later `edition` are about the same things; their ids come after those of earlier ones, and of events
    with the same time the last id has the last word.
    """

    repository: str
    edition: int = 0
    host_source: str = ""  # of a repository on a host: that of the host's webhooks, so that they tell of the same

    @property
    def source(self) -> str:
        """The source of its events."""
        return self.host_source or making.address(f"{_SOURCE}{self.repository}")

    def change_id(self, number: str) -> str:
        """The id of the event that tells of a change."""
        return self._edited(f"change/{number}")

    def deployment_id(self, key: str) -> str:
        """The id of the event that tells of a deployment."""
        return self._edited(f"deployment/{key}")

    def _edited(self, id_: str) -> str:
        return collected_id(id_, self.edition) if self.host_source else edited_id(id_, self.edition)

    def change(self, seen: SeenChange) -> dict[str, JSON]:
        """It was merged."""
        return making.change(
            "merged", id_=self.change_id(seen.number), source=self.source, at=seen.merged_at, number=seen.number,
            repository=self.repository,
            own={
                "revision": seen.revision, "firstCommitAt": seen.first_commit_at, "openedAt": seen.opened_at,
                "services": seen.services, "reverts": seen.reverts, "remedies": seen.remedies,
                "title": line(seen.title)[:LONGEST_TITLE], "url": seen.url, "labels": seen.labels,
                "branch": seen.branch,
            },
        )  # fmt: skip

    def deployment(self, seen: SeenDeployment) -> dict[str, JSON]:
        """It was put there. One that brought nothing names no revision: its changes would be worked out from that."""
        brings = seen.changes is None or len(seen.changes) > 0
        named = seen.changes if seen.changes and len(seen.changes) <= MOST_CHANGES else ()
        if brings:
            artifact = making.source_artifact(self.repository, seen.revision)
        else:
            artifact = making.generic_artifact(seen.service, seen.version)
        return making.deployment(
            id_=self.deployment_id(seen.key), source=self.source, at=seen.at, service=seen.service,
            environment=seen.environment, artifact=artifact,
            own={
                "deployment": seen.key, "version": seen.version, "changes": named, "run": seen.run, "url": seen.url,
                "repository": self.repository if brings else "", "revision": seen.revision if brings else "",
            },
        )  # fmt: skip
