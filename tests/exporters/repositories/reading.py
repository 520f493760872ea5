"""Repositories of these tests, read; and what was told of them, short enough to compare."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from controlplane.model.delivery import EventQuery
from controlplane.store import SqlStore
from exporters.repositories.adapters.opening import open_repository
from exporters.repositories.collecting import Collected, Collector
from exporters.repositories.model import (
    ChangesFrom,
    DeploymentsFrom,
    DeploymentTerms,
    Host,
    Place,
    Repository,
    RepositoryService,
)
from exporters.repositories.ports import DeliverySource
from tests.exporters.repositories.histories import NOW

NAME = "git.example.com/acme/shop"
SERVICE = RepositoryService("shop")


def repository(
    path: Path | str,
    *,
    services: Sequence[RepositoryService] = (SERVICE,),
    changes: ChangesFrom = ChangesFrom.MERGES,
    deployments: DeploymentTerms | None = None,
    branch: str = "main",
    since: timedelta = timedelta(days=365),
    token_from: str = "",
) -> Repository:
    """A git repository: a folder, or a URL that is cloned."""
    is_path = isinstance(path, Path)
    place = Place(Host.GIT, str(path), NAME, branch=branch, is_path=is_path, token_from=token_from, user="token")
    terms = deployments or DeploymentTerms(DeploymentsFrom.TAGS)
    return Repository("shop", place, tuple(services), terms, changes, since)


def opened(found: Repository, folder: Path, secret: str | None = None, now: datetime = NOW) -> DeliverySource:
    """Its source; clones are kept in a folder beside."""
    environment = {"PATH": os.environ["PATH"]}
    return open_repository(
        found, workspace=folder, clones=folder / "clones", secret=lambda name: secret, environment=environment, now=now
    )


def collect(found: Repository, store: SqlStore, folder: Path, now: datetime = NOW) -> Collected:
    """Read it to its end."""
    collected = Collector(store).collect(found, opened(found, folder), now)
    assert not collected.refused
    return collected


@dataclass(frozen=True)
class Told:
    """An event, as far as these tests look at it."""

    type: str
    subject: str
    at: datetime
    own: dict[str, Any]
    id: str


def told(store: SqlStore, type_prefix: str) -> list[Told]:
    """What was told, by time."""
    with store.transaction(read_only=True) as transaction:
        found = transaction.delivery.find_events(EventQuery(type_prefix=f"dev.cdevents.{type_prefix}", limit=10_000))
    events = []
    for stored in found:
        data = json.loads(stored.event.body)["data"]
        own = data.get("customData", {}).get("flyball", {})
        events.append(Told(stored.event.type, data["subject"]["id"], stored.event.time, own, stored.event.id))
    return sorted(events, key=lambda each: (each.at, each.id))


def changes(store: SqlStore) -> dict[str, Told]:
    """Changes by their titles."""
    return {each.own["title"]: each for each in told(store, "change.")}


def deployments(store: SqlStore) -> dict[str, Told]:
    """Deployments by version, and service where there are several."""
    found = told(store, "service.")
    several = len({each.subject for each in found}) > 1
    return {f"{each.own['version']} {each.subject}" if several else each.own["version"]: each for each in found}


def titles(store: SqlStore, version: str) -> list[str]:
    """Titles of the changes that a deployment names, the newest first."""
    by_id = {each.subject: each.own["title"] for each in told(store, "change.")}
    return [by_id.get(each, each) for each in deployments(store)[version].own.get("changes", [])]
