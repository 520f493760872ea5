"""What GitLab deploys: deployments, releases, or pipelines of the branch."""

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

from controlplane.model.event import JSON
from exporters.events.translating import making
from exporters.events.translating.reading import Node, root
from exporters.repositories.adapters.asking import Asking, Missing
from exporters.repositories.adapters.hosted import Events, Hosted, environment_of, in_order_of_change, told_by
from exporters.repositories.adapters.releases import Releases
from exporters.repositories.history.commits import Commit
from exporters.repositories.history.compared import Comparison, HostRelease
from exporters.repositories.model import DeploymentsFrom, Repository, RepositoryService
from exporters.repositories.ports import Reading
from exporters.repositories.telling import MOST_CHANGES, SeenDeployment

_REVIEW_APP: Final = "review/"
_BY_CHANGE: Final = {"order_by": "updated_at", "sort": "asc", "status": "success"}


class GitLabDeployments:
    """One turn of reading them."""

    def __init__(self, repository: Repository, hosted: Hosted, asking: Asking, path: str, reading: Reading) -> None:
        self._repository = repository
        self._hosted = hosted
        self._asking = asking
        self._path = path
        self._reading = reading

    def pages(self, place: JSON) -> Iterator[tuple[Events, JSON, str]]:
        """Events, where to go on (the time of the last change that was seen), and how far it has come."""
        source = self._repository.deployments.source
        if source is DeploymentsFrom.DEPLOYMENTS:
            yield from self._listed("deployments", _BY_CHANGE, place, self._deployed)
        elif source is DeploymentsFrom.PIPELINES:
            query = {**_BY_CHANGE, "ref": self._hosted.branch}
            yield from self._listed("pipelines", query, place, self._ran)
        elif source is DeploymentsFrom.RELEASES:
            releases = Releases(
                self._repository, self._hosted, self._reading, self._revision, self._compare, "merge_request"
            )
            for events in releases.told(self._releases()):
                yield events, place, "releases"

    def _listed(
        self, what: str, query: dict[str, str], place: JSON, tell: Callable[[Node], Iterator[dict[str, JSON]]]
    ) -> Iterator[tuple[Events, JSON, str]]:
        since = place if isinstance(place, str) else making.written(self._reading.since)
        path = f"{self._path}/{what}"
        for nodes, reached in in_order_of_change(self._asking, path, query, since=since, parameter="updated_after"):
            events = [event for node in nodes for event in tell(node)]
            ids = [(str(event["source"]), str(event["id"])) for event in events]
            known = self._reading.known(ids)
            new = tuple(event for id_, event in zip(ids, events, strict=True) if id_ not in known)
            yield new, reached, f"{what} changed before {reached[:10]}"

    def _deployed(self, node: Node) -> Iterator[dict[str, JSON]]:
        """Of one service by the key that the webhooks have."""
        written = node.part("environment").text("name")
        environment = environment_of(self._repository, written)
        is_review = written.startswith(_REVIEW_APP) and not self._repository.deployments.environments
        if not environment or is_review or node.text("status") != "success":
            return
        job = node.part("deployable")
        at = job.perhaps_when("finished_at") or node.when("updated_at")
        number, ref, pipeline = node.number("id"), node.text("ref"), job.part("pipeline")
        for service, key in self._keys(number):
            yield self._told(
                SeenDeployment(
                    key=key, at=at, service=service.name, environment=environment, revision=node.needed("sha"),
                    version=ref if ref[:1] == "v" and ref[1:2].isdigit() else "",
                    run=f"{self._hosted.name}/pipelines/{pipeline.number('id')}" if pipeline else "",
                    url=job.url("web_url") or pipeline.url("web_url"),
                )
            )  # fmt: skip

    def _ran(self, node: Node) -> Iterator[dict[str, JSON]]:
        number = node.number("id")
        for service, key in self._keys(f"pipeline/{number}"):
            yield self._told(
                SeenDeployment(
                    key=key, at=node.when("updated_at"), service=service.name,
                    environment=self._repository.deployments.environment, revision=node.needed("sha"),
                    version=f"#{number}", run=f"{self._hosted.name}/pipelines/{number}",
                    url=node.url("web_url"),
                )
            )  # fmt: skip

    def _keys(self, number: str) -> Iterator[tuple[RepositoryService, str]]:
        services = self._repository.services
        for service in services:
            yield service, number if len(services) == 1 else f"{number}/{service.name}"

    def _told(self, seen: SeenDeployment) -> dict[str, JSON]:
        return self._hosted.teller(self._reading.edition).deployment(seen)

    def _releases(self) -> Iterator[HostRelease]:
        """The newest first, back to a page of which all are older than is asked for."""
        query = {"order_by": "released_at", "sort": "desc", "per_page": "100"}
        for rows in self._asking.pages(f"{self._path}/releases", query):
            nodes = [root(row) for row in rows]
            found = [
                HostRelease(node.when("released_at"), node.needed("tag_name"), node.part("_links").url("self"))
                for node in nodes
                if not node.flag("upcoming_release")
            ]
            yield from found
            if found and all(each.at < self._reading.since for each in found):
                return

    def _revision(self, tag: str) -> str:
        """The commit of a tag; a tag that was deleted has none."""
        try:
            found = told_by(self._asking, f"{self._path}/repository/tags/{quote(tag, safe='')}")
        except Missing:
            return ""
        return found.part("commit").needed("id")

    def _compare(self, base: str, head: str) -> Comparison | None:
        found = told_by(self._asking, f"{self._path}/repository/compare?from={base}&to={head}")
        rows = found.parts("commits")
        if found.flag("compare_timeout") or len(rows) > MOST_CHANGES:
            return None
        commits = {
            sha: Commit(sha, tuple(each.texts("parent_ids")), 0, 0, "", each.prose("message"))
            for each in rows
            if (sha := each.needed("id"))
        }
        joined = told_by(self._asking, f"{self._path}/repository/merge_base?refs[]={base}&refs[]={head}")
        return Comparison(commits, joined.text("id") == base)
