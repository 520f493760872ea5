"""A GitHub repository as a source of deliveries, over its REST API (2022-11-28).

Merged requests are found by asking for closed issues in the order of their last change, from a time on: what is changed
meanwhile comes again at the end, and nothing falls between two pages. Each takes two more questions, for the request
and its commits, and a third for its files where services have paths.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from controlplane.model.event import JSON
from exporters.events.translating import making
from exporters.events.translating.github import EVENT, GitHub
from exporters.events.translating.reading import Node, root
from exporters.repositories.adapters.asking import CALL_SECONDS, Asking
from exporters.repositories.adapters.github_deployments import GitHubDeployments
from exporters.repositories.adapters.hosted import (
    PAGE,
    Hosted,
    chunks,
    hosted_at,
    in_order_of_change,
    in_turn,
    services_touched,
    understood,
)
from exporters.repositories.history.commits import EARLIEST
from exporters.repositories.model import ChangesFrom, Repository
from exporters.repositories.ports import Page, Position, Reading
from exporters.repositories.retelling import collected_id, retold

_MOST_FILE_PAGES: Final = 10


class GitHubSource:
    """Implements `DeliverySource`. Position: `changes.since` and `deployments`, each gone on from by itself."""

    def __init__(
        self, repository: Repository, *, token: str, now: datetime, call_seconds: float = CALL_SECONDS
    ) -> None:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._repository = repository
        self._path = f"/repos/{repository.place.project}"
        self._asking = Asking(
            "GitHub", repository.place.address, headers=headers, secrets=(token,), now=now, call_seconds=call_seconds
        )

    def close(self) -> None:
        """Close connections."""
        self._asking.close()

    def pages(self, position: Position, reading: Reading) -> Iterator[Page]:
        """Changes first, then deployments: those then find what they deploy."""
        self._asking.now = reading.now
        with understood("GitHub"):
            hosted = hosted_at(self._asking, self._path, "html_url", self._repository.place.branch)
            deployments = GitHubDeployments(self._repository, hosted, self._asking, self._path, reading)
            has_changes = self._repository.changes is ChangesFrom.PULL_REQUESTS
            changes = partial(self._changes, hosted, reading=reading) if has_changes else None
            yield from in_turn(position, changes, deployments.pages, what="merged")

    def _changes(
        self, hosted: Hosted, place: JSON, reading: Reading
    ) -> Iterator[tuple[tuple[dict[str, JSON], ...], str]]:
        """Events, and from when on to ask next: the time of the last change that was seen."""
        since = place if isinstance(place, str) else making.written(reading.since)
        query = {"state": "closed", "sort": "updated", "direction": "asc"}
        listed = in_order_of_change(self._asking, f"{self._path}/issues", query, since=since, parameter="since")
        for nodes, reached in listed:
            for chunk in chunks(self._wanted(hosted, nodes, reading)):
                yield tuple(event for number in chunk for event in self._change(hosted, number, reading)), since
            since = reached
            yield (), since

    def _wanted(self, hosted: Hosted, nodes: Sequence[Node], reading: Reading) -> list[str]:
        """Numbers of those that are requests, were merged in time, and nobody was told of yet."""
        numbers: dict[str, str] = {}
        for node in nodes:
            request = node.part("pull_request")
            if not request:
                continue
            merged_at = request.perhaps_when("merged_at")
            is_merged = merged_at is not None or "merged_at" not in request.value
            if is_merged and (merged_at is None or reading.since <= merged_at <= reading.latest):
                number = node.number("number")
                numbers[collected_id(f"pull_request/{number}", reading.edition)] = number
        known = reading.known([(hosted.source, id_) for id_ in numbers])
        return [number for id_, number in numbers.items() if (hosted.source, id_) not in known]

    def _change(self, hosted: Hosted, number: str, reading: Reading) -> list[dict[str, JSON]]:
        request = self._asking.get(f"{self._path}/pulls/{number}").data
        payload = {"action": "closed", "pull_request": request, "repository": hosted.as_github()}
        events = GitHub().translate({EVENT: "pull_request"}, payload, reading.now)
        if not events:  # merged into another branch
            return []
        own: dict[str, JSON] = {"firstCommitAt": self._first_commit(number, reading)}
        if any(service.paths for service in self._repository.services):
            own["services"] = list(services_touched(self._repository, self._files(number)))
        return [retold(each, id_=collected_id(f"pull_request/{number}", reading.edition), own=own) for each in events]

    def _first_commit(self, number: str, reading: Reading) -> str | None:
        """When the earliest of its commits was authored; GitHub lists 250 at most, the oldest first."""
        times: list[datetime] = []
        for rows in self._asking.pages(f"{self._path}/pulls/{number}/commits", {"per_page": str(PAGE)}, most=3):
            authors = (root(row).part("commit").part("author") for row in rows)
            times += [at for author in authors if (at := author.perhaps_when("date")) is not None]
        fitting = [at for at in times if EARLIEST <= at <= reading.latest]
        return making.written(min(fitting)) if fitting else None

    def _files(self, number: str) -> list[str]:
        found: list[str] = []
        query = {"per_page": str(PAGE)}
        for rows in self._asking.pages(f"{self._path}/pulls/{number}/files", query, most=_MOST_FILE_PAGES):
            names = (root(row).text(key, 4000) for row in rows for key in ("filename", "previous_filename"))
            found += [name for name in names if name]
        return found
