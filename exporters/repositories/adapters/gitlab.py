"""A GitLab project as a source of deliveries, over its REST API (v4)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import quote

from controlplane.model.event import JSON
from exporters.events.translating import conventions, making
from exporters.events.translating.reading import LONGEST_TITLE, Node, root
from exporters.repositories.adapters.asking import CALL_SECONDS, Asking
from exporters.repositories.adapters.gitlab_deployments import GitLabDeployments
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
from exporters.repositories.retelling import collected_id

_MOST_PAGES: Final = 10  # of commits and of files of a request
_REVISIONS: Final = ("merge_commit_sha", "squash_commit_sha", "sha")  # the last one when it was fast-forwarded


class GitLabSource:
    """Implements `DeliverySource`. Position: `changes` and `deployments`, each gone on from by itself."""

    def __init__(
        self, repository: Repository, *, token: str, now: datetime, call_seconds: float = CALL_SECONDS
    ) -> None:
        self._repository = repository
        self._path = f"/projects/{quote(repository.place.project, safe='')}"
        self._asking = Asking(
            "GitLab",
            f"{repository.place.address}/api/v4",
            headers={"Accept": "application/json", "Authorization": f"Bearer {token}"},
            secrets=(token,),
            now=now,
            call_seconds=call_seconds,
        )

    def close(self) -> None:
        """Close connections."""
        self._asking.close()

    def pages(self, position: Position, reading: Reading) -> Iterator[Page]:
        """Changes first, then deployments: those then find what they deploy."""
        self._asking.now = reading.now
        with understood("GitLab"):
            hosted = hosted_at(self._asking, self._path, "web_url", self._repository.place.branch)
            deployments = GitLabDeployments(self._repository, hosted, self._asking, self._path, reading)
            has_changes = self._repository.changes is ChangesFrom.PULL_REQUESTS
            changes = partial(self._changes, hosted, reading=reading) if has_changes else None
            yield from in_turn(position, changes, deployments.pages, what="changed")

    def _changes(
        self, hosted: Hosted, place: JSON, reading: Reading
    ) -> Iterator[tuple[tuple[dict[str, JSON], ...], str]]:
        since = place if isinstance(place, str) else making.written(reading.since)
        query = {"state": "merged", "target_branch": hosted.branch, "order_by": "updated_at", "sort": "asc"}
        listed = in_order_of_change(
            self._asking, f"{self._path}/merge_requests", query, since=since, parameter="updated_after"
        )
        for nodes, reached in listed:
            for chunk in chunks(self._wanted(hosted, nodes, reading)):
                yield tuple(self._change(hosted, node, reading) for node in chunk), since
            since = reached
            yield (), since

    def _wanted(self, hosted: Hosted, nodes: Sequence[Node], reading: Reading) -> list[Node]:
        ids = {
            self._id(node, reading): node
            for node in nodes
            if (at := node.perhaps_when("merged_at")) is not None and reading.since <= at <= reading.latest
        }
        known = reading.known([(hosted.source, id_) for id_ in ids])
        return [node for id_, node in ids.items() if (hosted.source, id_) not in known]

    def _change(self, hosted: Hosted, node: Node, reading: Reading) -> dict[str, JSON]:
        """As the translator of webhooks tells of it, and when its first commit was authored."""
        number, title, text = node.number("iid"), node.text("title", LONGEST_TITLE), node.prose("description")
        labels = conventions.labels(node.texts("labels"))
        has_paths = any(service.paths for service in self._repository.services)
        own: making.Own = {
            "revision": next((sha for name in _REVISIONS if (sha := node.text(name))), ""),
            "firstCommitAt": self._first_commit(number, reading),
            "openedAt": node.when("created_at"),
            "services": services_touched(self._repository, self._files(number)) if has_paths else (),
            "reverts": conventions.reverted(title, text),
            "remedies": conventions.remedied(text),
            "title": title,
            "url": node.url("web_url"),
            "labels": labels,
            "branch": node.text("source_branch"),
        }
        return making.change(
            "merged", id_=self._id(node, reading), source=hosted.source, at=node.when("merged_at"), number=number,
            repository=hosted.name, own=own,
        )  # fmt: skip

    def _first_commit(self, number: str, reading: Reading) -> datetime | None:
        path = f"{self._path}/merge_requests/{number}/commits"
        pages = self._asking.pages(path, {"per_page": str(PAGE)}, most=_MOST_PAGES)
        times = (root(row).perhaps_when("authored_date") for rows in pages for row in rows)
        return min((at for at in times if at is not None and EARLIEST <= at <= reading.latest), default=None)

    def _files(self, number: str) -> list[str]:
        path = f"{self._path}/merge_requests/{number}/diffs"
        pages = self._asking.pages(path, {"per_page": "30"}, most=_MOST_PAGES)
        names = (root(row).text(key, 4000) for rows in pages for row in rows for key in ("new_path", "old_path"))
        return [name for name in names if name]

    def _id(self, node: Node, reading: Reading) -> str:
        return collected_id(f"merge_request/{node.number('iid')}", reading.edition)
