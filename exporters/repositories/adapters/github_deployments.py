"""What GitHub deploys: deployments and their statuses, releases, or runs of a workflow."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from controlplane.model.event import JSON
from exporters.events.translating import making
from exporters.events.translating.github import EVENT, GitHub
from exporters.events.translating.reading import Node, root
from exporters.repositories.adapters.asking import Asking, Missing
from exporters.repositories.adapters.hosted import Events, Hosted, chunks, environment_of, told_by
from exporters.repositories.adapters.releases import Releases
from exporters.repositories.history.commits import Commit
from exporters.repositories.history.compared import Comparison, HostRelease
from exporters.repositories.model import DeploymentsFrom, Repository
from exporters.repositories.ports import Reading
from exporters.repositories.retelling import collected_id, retold
from exporters.repositories.telling import MOST_CHANGES, SeenDeployment

PENDING: Final = timedelta(days=7)  # how long a deployment is waited for that has not come to an end
_PER_PAGE: Final = {"per_page": "100"}
_PASSES: Final = 3  # over a list from which entries may be taken away while it is read
_WINDOW: Final = timedelta(days=7)  # of runs: GitHub tells of 1,000 at most
_DECIDED: Final = ("failure", "error")
_AFTER: Final = ("ahead", "identical")


class GitHubDeployments:
    """One turn of reading them."""

    def __init__(self, repository: Repository, hosted: Hosted, asking: Asking, path: str, reading: Reading) -> None:
        self._repository = repository
        self._hosted = hosted
        self._asking = asking
        self._path = path
        self._reading = reading

    def pages(self, place: JSON) -> Iterator[tuple[Events, JSON, str]]:
        """Events, where to go on, and how far it has come. `place`: when it was last read to its end."""
        source = self._repository.deployments.source
        if source is DeploymentsFrom.DEPLOYMENTS:
            yield from self._swept(place, self._deployments)
        elif source is DeploymentsFrom.PIPELINES:
            yield from self._swept(place, self._runs)
        elif source is DeploymentsFrom.RELEASES:
            releases = Releases(
                self._repository, self._hosted, self._reading, self._revision, self._compare, "pull_request"
            )
            for events in releases.told(self._releases()):
                yield events, place, "releases"

    def _swept(self, place: JSON, look: Callable[[datetime], Iterator[Events]]) -> Iterator[tuple[Events, JSON, str]]:
        """Everything since the last time, and what was not at its end then. The first time until nothing new is found:

        what is taken away from the list while it is read moves the rest to pages that were read before.
        """
        complete = datetime.fromisoformat(place) if isinstance(place, str) else None
        floor = max(self._reading.since, complete - PENDING) if complete else self._reading.since
        for _ in range(1 if complete else _PASSES):
            found = 0
            for events in look(floor):
                found += len(events)
                yield events, place, "deployments"
            if not found:
                break
        yield (), making.written(self._reading.now), ""

    # --- deployments ------------------------------------------------------------------------------------------------
    def _deployments(self, floor: datetime) -> Iterator[Events]:
        """The newest first, as GitHub lists them."""
        for rows in self._asking.pages(f"{self._path}/deployments", _PER_PAGE):
            nodes = [root(row) for row in rows]
            young = [node for node in nodes if node.when("created_at") >= floor]
            for chunk in chunks(self._wanted(young)):
                yield tuple(event for node in chunk for event in self._deployed(node))
            if len(young) < len(nodes):
                return

    def _wanted(self, nodes: Sequence[Node]) -> list[Node]:
        counting = [node for node in nodes if environment_of(self._repository, node.text("environment"))]
        ids = {self._ids(node)[0][0]: node for node in counting}
        known = self._reading.known([(self._hosted.source, id_) for id_ in ids])
        return [node for id_, node in ids.items() if (self._hosted.source, id_) not in known]

    def _ids(self, node: Node) -> list[tuple[str, str, str]]:
        """Id of the event, key of the deployment, and service: of one service as the webhooks have it."""
        number, edition = node.number("id"), self._reading.edition
        services = [each.name for each in self._repository.services]
        said = _service_of(node)
        if said or len(services) == 1:
            return [(collected_id(f"deployment/{number}", edition), number, said or services[0])]
        return [
            (collected_id(f"deployment/{number}/{service}", edition), f"{number}/{service}", service)
            for service in services
        ]

    def _deployed(self, node: Node) -> Iterator[dict[str, JSON]]:
        """What its statuses say: the first success, else the last failure; nothing while it goes on."""
        path = f"{self._path}/deployments/{node.number('id')}/statuses"
        statuses = [root(row) for rows in self._asking.pages(path, _PER_PAGE, most=5) for row in rows]
        succeeded = [each for each in statuses if each.text("state") == "success"]
        failed = [each for each in statuses if each.text("state") in _DECIDED]
        deciding = [*succeeded[-1:], *failed[:1]]
        if not deciding:
            return
        payload = {
            "deployment_status": deciding[0].value, "deployment": node.value, "repository": self._hosted.as_github(),
        }  # fmt: skip
        ids = self._ids(node)
        environment = environment_of(self._repository, node.text("environment"))
        for event in GitHub().translate({EVENT: "deployment_status"}, payload, self._reading.now):
            if not str(event["type"]).startswith("dev.cdevents.service."):  # failed before anybody was served by it
                yield retold(event, id_=ids[0][0], own={})
                continue
            for id_, key, service in ids:
                own: dict[str, JSON] = {"deployment": key}
                if len(ids) > 1:
                    own["run"] = f"{self._hosted.name}/deployments/{node.number('id')}"
                yield retold(event, id_=id_, own=own, service=service, environment=environment)

    # --- runs of a workflow -----------------------------------------------------------------------------------------
    def _runs(self, floor: datetime) -> Iterator[Events]:
        """Runs that succeeded on the branch, each a deployment of every service."""
        path = f"{self._path}/actions/workflows/{quote(self._repository.deployments.workflow)}/runs"
        start = floor
        while start <= self._reading.now:
            end = start + _WINDOW
            query = {
                **_PER_PAGE, "branch": self._hosted.branch, "status": "success",
                "created": f"{start:%Y-%m-%dT%H:%M:%SZ}..{end:%Y-%m-%dT%H:%M:%SZ}",
            }  # fmt: skip
            answer = self._asking.get(path, query)
            while True:
                runs = root(answer.data).parts("workflow_runs")
                if events := tuple(event for node in runs for event in self._ran(node)):
                    yield events
                if not answer.next:
                    break
                answer = self._asking.get(answer.next)
            start = end

    def _ran(self, node: Node) -> Iterator[dict[str, JSON]]:
        teller, number = self._hosted.teller(self._reading.edition), node.number("id")
        for service in self._repository.services:
            key = f"run/{number}/{service.name}"
            if self._reading.known([(teller.source, teller.deployment_id(key))]):
                continue
            yield teller.deployment(
                SeenDeployment(
                    key=key, at=node.when("updated_at"), service=service.name,
                    environment=self._repository.deployments.environment, revision=node.needed("head_sha"),
                    version=f"#{node.number('run_number')}", url=node.url("html_url"),
                    run=f"{self._hosted.name}/actions/runs/{number}",
                )
            )  # fmt: skip

    # --- releases ---------------------------------------------------------------------------------------------------
    def _releases(self) -> Iterator[HostRelease]:
        """The newest first, back to a page of which all are older than is asked for."""
        for rows in self._asking.pages(f"{self._path}/releases", _PER_PAGE):
            found: list[HostRelease] = []
            for row in rows:
                node = root(row)
                at = node.perhaps_when("published_at")
                is_pre = node.flag("prerelease") and not self._repository.deployments.with_pre_releases
                if at is not None and not node.flag("draft") and not is_pre:
                    found.append(HostRelease(at, node.needed("tag_name"), node.url("html_url")))
            yield from found
            if found and all(each.at < self._reading.since for each in found):
                return

    def _revision(self, tag: str) -> str:
        """The commit of a tag; a tag that was deleted has none."""
        try:
            return told_by(self._asking, f"{self._path}/commits/tags/{quote(tag)}?per_page=1").needed("sha")
        except Missing:
            return ""

    def _compare(self, base: str, head: str) -> Comparison | None:
        commits: dict[str, Commit] = {}
        answer = self._asking.get(f"{self._path}/compare/{base}...{head}", _PER_PAGE)
        while True:
            node = root(answer.data)
            total = node.value.get("total_commits")
            if isinstance(total, int) and total > MOST_CHANGES:
                return None
            for each in node.parts("commits"):
                sha, parents = each.needed("sha"), tuple(parent.needed("sha") for parent in each.parts("parents"))
                commits[sha] = Commit(sha, parents, 0, 0, "", each.part("commit").prose("message"))
            if not answer.next:
                return Comparison(commits, node.text("status") in _AFTER)
            answer = self._asking.get(answer.next)


def _service_of(node: Node) -> str:
    """The service that whoever deployed names in the deployment's `payload`, under `flyball`."""
    payload = node.value.get("payload")
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return ""
    said = payload.get("flyball") if isinstance(payload, dict) else None
    service = said.get("service") if isinstance(said, dict) else None
    return service if isinstance(service, str) else ""
