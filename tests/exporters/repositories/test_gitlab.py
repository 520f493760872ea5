"""What a GitLab project tells: the same things as its webhooks."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from controlplane.store import SqlStore
from exporters.events.reading import Candidate, EventReader, Terms
from exporters.events.translating.gitlab import GitLab
from exporters.repositories.adapters.gitlab import GitLabSource
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
from tests.exporters.repositories.histories import NOW
from tests.exporters.repositories.reading import told
from tests.outside.gitlab_project import TOKEN, GitLabProjectServer

FIRST = NOW - timedelta(days=60)
NAME = "gitlab.example/acme/shop"
NONE = DeploymentTerms(DeploymentsFrom.NONE)
SHOP = (RepositoryService("shop"),)


@pytest.fixture
def gitlab() -> Iterator[GitLabProjectServer]:
    with GitLabProjectServer() as server:
        yield server


def collect(
    server: GitLabProjectServer,
    store: SqlStore,
    terms: DeploymentTerms = NONE,
    services: Sequence[RepositoryService] = SHOP,
    now: datetime = NOW,
) -> Collected:
    place = Place(Host.GITLAB, server.url, NAME, project="acme/shop", token_from="FLYBALL_GITLAB_TOKEN")
    found = Repository("shop", place, tuple(services), terms, ChangesFrom.PULL_REQUESTS)
    source = GitLabSource(found, token=TOKEN, now=now, call_seconds=2)
    collected = Collector(store).collect(found, source, now)
    source.close()
    assert not collected.refused
    return collected


def at(hours: float) -> datetime:
    return FIRST + timedelta(hours=hours)


def stamp(hours: float) -> str:
    return f"{at(hours):%Y-%m-%dT%H:%M:%S.000Z}"


def deployed(number: int, hours: float, **changed: Any) -> dict[str, Any]:
    job = {"finished_at": stamp(hours), "web_url": f"https://gitlab.example/jobs/{number}", "pipeline": {"id": 900}}
    return {
        "id": number, "iid": number, "status": "success", "sha": f"{number:040x}", "ref": "v1.2",
        "updated_at": stamp(hours + 1), "environment": {"name": "production"}, "deployable": job, **changed,
    }  # fmt: skip


def test_merged_requests_become_changes_with_their_first_commits(gitlab: GitLabProjectServer, store: SqlStore) -> None:
    gitlab.merge(7, at(0), title="Faster cart", description="Remedies: INC-7", labels=["hotfix"])
    gitlab.merge(8, at(1), merge_commit_sha=None, squash_commit_sha="e" * 40)
    gitlab.merge(9, at(2), merge_commit_sha=None)
    gitlab.merge(10, FIRST - timedelta(days=300), updated_at=stamp(3))

    collect(gitlab, store)

    first, second, third = told(store, "change.")
    assert (first.subject, first.at) == ("7", at(0))
    assert first.own == {
        "revision": f"{7:040x}", "openedAt": "2026-07-02T00:00:00Z", "firstCommitAt": "2026-07-01T00:00:00Z",
        "remedies": "INC-7", "title": "Faster cart", "url": "https://gitlab.example/acme/shop/-/merge_requests/7",
        "labels": ["hotfix"], "branch": "feature-7",
    }  # fmt: skip
    assert (second.own["revision"], third.own["revision"]) == ("e" * 40, "f" * 40)


@pytest.mark.parametrize("size", [1, 3])
def test_lists_are_followed_page_by_page(gitlab: GitLabProjectServer, store: SqlStore, size: int) -> None:
    gitlab.page_size = size
    for number in range(1, 9):
        gitlab.merge(number, at(number // 4))

    assert collect(gitlab, store).taken == 8
    assert collect(gitlab, store).taken == 0


def test_a_webhook_and_the_collector_tell_of_the_same_change_and_deployment(
    gitlab: GitLabProjectServer, store: SqlStore
) -> None:
    gitlab.merge(7, at(0))
    gitlab.deployments = [deployed(40, 1)]
    collect(gitlab, store, DeploymentTerms(DeploymentsFrom.DEPLOYMENTS))
    project = {"web_url": "https://gitlab.example/acme/shop", "default_branch": "main"}
    request = {
        "iid": 7, "action": "merge", "target_branch": "main", "title": "Change 7", "merge_commit_sha": f"{7:040x}",
        "created_at": stamp(-24), "updated_at": stamp(0), "source_branch": "feature-7", "url": "https://x/7",
    }  # fmt: skip
    made = {
        "object_kind": "deployment", "status": "success", "environment": "production", "deployment_id": 40,
        "status_changed_at": stamp(1), "short_sha": "28", "ref": "v1.2", "project": project,
    }  # fmt: skip
    events = GitLab().translate(
        {}, {"object_kind": "merge_request", "object_attributes": request, "project": project}, NOW
    )
    events += GitLab().translate({}, made, NOW)
    delivery = EventReader(Terms("gitlab")).gathered((Candidate("", each) for each in events), NOW)
    with store.transaction() as transaction:
        receipt = transaction.delivery.take(delivery.events, NOW)
        entities, _ = transaction.delivery.entities_after(0, 100)

    assert (receipt.accepted, receipt.conflicts) == (2, ())
    assert sorted(entities) == ["change:gitlab.example/acme/shop#7", "deployment:https://gitlab.example/acme/shop#40"]


def test_deployments_of_environments_that_count_are_told(gitlab: GitLabProjectServer, store: SqlStore) -> None:
    gitlab.deployments = [
        deployed(1, 1),
        deployed(2, 2, environment={"name": "review/feature"}),
        deployed(3, 3, status="failed"),
        deployed(4, 4, deployable=None, environment={"name": "staging"}),
    ]
    collect(gitlab, store, DeploymentTerms(DeploymentsFrom.DEPLOYMENTS))

    assert [(each.own["deployment"], each.at) for each in told(store, "service.")] == [("1", at(1)), ("4", at(5))]
    assert told(store, "service.")[0].own["run"] == f"{NAME}/pipelines/900"


def test_only_declared_environments_count_and_get_our_names(gitlab: GitLabProjectServer, store: SqlStore) -> None:
    gitlab.deployments = [deployed(1, 1, environment={"name": "prod-eu"}), deployed(2, 2)]
    services = [RepositoryService("a"), RepositoryService("b")]
    terms = DeploymentTerms(DeploymentsFrom.DEPLOYMENTS, environments={"prod-eu": "production"})

    collect(gitlab, store, terms, services)

    assert [each.own["deployment"] for each in told(store, "service.")] == ["1/a", "1/b"]


def test_pipelines_of_the_branch_are_deployments(gitlab: GitLabProjectServer, store: SqlStore) -> None:
    gitlab.pipelines = [
        {
            "id": 5,
            "status": "success",
            "sha": "a" * 40,
            "updated_at": stamp(1),
            "web_url": "https://gitlab.example/p/5",
        },
        {"id": 6, "status": "failed", "sha": "b" * 40, "updated_at": stamp(2)},
    ]
    collect(gitlab, store, DeploymentTerms(DeploymentsFrom.PIPELINES, environment="live"))

    (found,) = told(store, "service.")
    assert (found.own["deployment"], found.own["version"], found.at) == ("pipeline/5", "#5", at(1))


def test_releases_bring_the_requests_that_no_earlier_release_had(gitlab: GitLabProjectServer, store: SqlStore) -> None:
    sha = {number: f"{number:040x}" for number in range(1, 6)}
    for number, before in {1: [], 2: [1], 3: [2], 4: [3], 5: [1]}.items():
        gitlab.merge(number, at(number))
        message = f"Merge branch 'x' into 'main'\n\nText\n\nSee merge request acme/shop!{number}"
        gitlab.history[sha[number]] = ([sha[each] for each in before], message)
    gitlab.tags = {"v1": sha[1], "v2": sha[3], "v1.1": sha[5], "v3": sha[4]}
    gitlab.releases = [
        {"tag_name": tag, "released_at": stamp(hours), "_links": {"self": f"https://gitlab.example/r/{tag}"}}
        for tag, hours in (("v3", 40), ("v1.1", 30), ("v2", 20), ("v1", 10))
    ]
    gitlab.releases.append({"tag_name": "v9", "released_at": stamp(9000), "upcoming_release": True})

    collect(gitlab, store, DeploymentTerms(DeploymentsFrom.RELEASES))

    assert [(each.own["version"], each.own.get("changes")) for each in told(store, "service.")] == [
        ("v1", None), ("v2", ["3", "2"]), ("v1.1", ["5"]), ("v3", ["4"]),
    ]  # fmt: skip


def test_files_of_requests_tell_the_services(gitlab: GitLabProjectServer, store: SqlStore) -> None:
    gitlab.merge(1, at(1))
    gitlab.files[1] = ["checkout/a"]

    collect(gitlab, store, services=[RepositoryService("checkout", ("checkout/**",)), RepositoryService("b", ("b",))])

    assert told(store, "change.")[0].own["services"] == ["checkout"]


def test_a_rate_limit_stops_it_and_it_goes_on_without_losing_its_place(
    gitlab: GitLabProjectServer, store: SqlStore
) -> None:
    for number in range(1, 20):
        gitlab.merge(number, at(number))
    gitlab.page_size, now, turns = 5, NOW, 0
    while True:
        gitlab.left, gitlab.reset = 8, now + timedelta(minutes=1)
        turn = collect(gitlab, store, now=now)
        turns += 1
        assert turn.duplicates == turn.conflicts == 0
        if turn.is_complete:
            break
        assert turn.retry_at == gitlab.reset
        now += timedelta(minutes=1)
        assert turns < 20

    assert len(told(store, "change.")) == 19
    assert turns > 2
