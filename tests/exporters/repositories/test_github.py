"""What a GitHub repository tells: the same things as its webhooks, whatever its API does on the way."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from controlplane.store import SqlStore
from exporters.events.reading import Candidate, EventReader, Terms
from exporters.events.translating.github import EVENT, GitHub
from exporters.repositories.adapters.github import GitHubSource
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
from tests.outside.failing import Answered, Failure
from tests.outside.github_repository import TOKEN, Deployed, GitHubRepositoryServer

FIRST = NOW - timedelta(days=60)
SHOP = (RepositoryService("shop"),)
NAME = "github.example/acme/shop"


@pytest.fixture
def github() -> Iterator[GitHubRepositoryServer]:
    with GitHubRepositoryServer() as server:
        server.reset = NOW + timedelta(minutes=30)
        yield server


def shop(
    server: GitHubRepositoryServer,
    *,
    deployments: DeploymentTerms | None = None,
    services: Sequence[RepositoryService] = SHOP,
    changes: ChangesFrom = ChangesFrom.PULL_REQUESTS,
) -> Repository:
    place = Place(Host.GITHUB, server.url, NAME, project="acme/shop", token_from="FLYBALL_GITHUB_TOKEN")
    terms = deployments or DeploymentTerms(DeploymentsFrom.NONE)
    return Repository("shop", place, tuple(services), terms, changes)


def source(found: Repository, token: str = TOKEN) -> GitHubSource:
    return GitHubSource(found, token=token, now=NOW, call_seconds=2)


def collect(found: Repository, store: SqlStore, now: datetime = NOW, opened: GitHubSource | None = None) -> Collected:
    reading = opened or source(found)
    collected = Collector(store).collect(found, reading, now)
    if opened is None:
        reading.close()
    assert not collected.refused
    return collected


def at(hours: float) -> datetime:
    return FIRST + timedelta(hours=hours)


def numbers(store: SqlStore) -> list[str]:
    return [each.subject for each in told(store, "change.")]


def asked(server: GitHubRepositoryServer, part: str) -> int:
    return sum(part in each.path for each in server.asked)


def test_merged_requests_become_changes_with_their_first_commits(
    github: GitHubRepositoryServer, store: SqlStore
) -> None:
    github.merge(7, at(0), title="Faster cart", body="Remedies: INC-7", labels=[{"name": "hotfix"}])
    github.merge(8, at(1), title='Revert "Faster cart"', body="Reverts acme/shop#7")
    github.merge(9, at(2), base="release-1")
    github.pulls[10] = github.merge(10, at(3)) | {"merged_at": None, "merged": False}
    github.issues = [{"number": 11, "updated_at": "2026-08-01T00:00:00Z"}]

    collect(shop(github), store)

    first, second = told(store, "change.")
    assert (first.subject, first.at) == ("7", at(0))
    assert first.own == {
        "revision": f"{7:040x}", "openedAt": "2026-07-02T00:00:00Z", "firstCommitAt": "2026-07-01T00:00:00Z",
        "remedies": "INC-7", "title": "Faster cart", "url": "https://github.example/acme/shop/pull/7",
        "labels": ["hotfix"], "branch": "feature-7",
    }  # fmt: skip
    assert second.own["reverts"] == "acme/shop#7"


def test_a_webhook_and_the_collector_tell_of_the_same_change_and_deployment(
    github: GitHubRepositoryServer, store: SqlStore
) -> None:
    pull = github.merge(7, at(0))
    github.deployments = [Deployed(40, "a" * 40, "production", at(1), [("success", at(2))])]
    collect(shop(github, deployments=DeploymentTerms(DeploymentsFrom.DEPLOYMENTS)), store)
    about = {"html_url": "https://github.example/acme/shop", "name": "shop", "default_branch": "main"}
    events = GitHub().translate(
        {EVENT: "pull_request"}, {"action": "closed", "pull_request": pull, "repository": about}, NOW
    )
    status = {"id": 4000, "state": "success", "created_at": "2026-07-03T02:00:00Z", "environment": "production"}
    made: dict[str, Any] = {"id": 40, "sha": "a" * 40, "environment": "production", "task": "deploy"}
    events += GitHub().translate(
        {EVENT: "deployment_status"}, {"deployment_status": status, "deployment": made, "repository": about}, NOW
    )
    delivery = EventReader(Terms("github")).gathered((Candidate("", each) for each in events), NOW)
    with store.transaction() as transaction:
        receipt = transaction.delivery.take(delivery.events, NOW)
        entities, _ = transaction.delivery.entities_after(0, 100)

    assert (receipt.accepted, receipt.conflicts) == (2, ())
    assert sorted(entities) == [
        "change:github.example/acme/shop#7",
        "deployment:https://github.example/acme/shop#40",
    ]


def test_what_is_told_is_not_asked_for_again(github: GitHubRepositoryServer, store: SqlStore) -> None:
    for number in range(1, 6):
        github.merge(number, at(number))
    found = shop(github)
    opened = source(found)
    collect(found, store, opened=opened)
    before = asked(github, "/pulls/")
    github.merge(6, at(6))
    github.pulls[2]["updated_at"] = "2026-08-30T00:00:00Z"  # somebody said something

    again = collect(found, store, opened=opened)
    opened.close()

    assert (again.taken, again.duplicates, again.conflicts) == (1, 0, 0)
    assert asked(github, "/pulls/") - before == 2, "the request and its commits"
    assert github.unchanged > 0


@pytest.mark.parametrize("size", [1, 3])
def test_lists_are_followed_page_by_page(github: GitHubRepositoryServer, store: SqlStore, size: int) -> None:
    github.page_size = size
    for number in range(1, 12):
        github.merge(number, at(number // 4))  # four at the same instant, more than a page holds
    github.commits[1] = [at(-number) for number in range(5)]

    collect(shop(github), store)

    assert sorted(map(int, numbers(store))) == list(range(1, 12))
    (first,) = [each for each in told(store, "change.") if each.subject == "1"]
    pages = 3 * size
    assert first.own["firstCommitAt"] == f"{at(-min(pages, 5) + 1):%Y-%m-%dT%H:%M:%SZ}"


def test_a_request_that_changes_while_the_list_is_read_makes_no_other_fall_out(
    github: GitHubRepositoryServer, store: SqlStore
) -> None:
    github.page_size = 2
    for number in range(1, 9):
        github.merge(number, at(number))
    found = shop(github)
    opened = source(found)
    turns = 0
    while True:
        turn = Collector(store).collect(found, opened, NOW, may_go_on=lambda: False)
        turns += 1
        if turn.is_complete:
            break
        if turns < 12:
            github.pulls[turns % 8 + 1]["updated_at"] = f"2026-08-{turns + 1:02}T00:00:00Z"
        assert turns < 40
    opened.close()

    assert sorted(map(int, numbers(store))) == list(range(1, 9))


def test_a_rate_limit_stops_it_and_it_goes_on_without_losing_its_place(
    github: GitHubRepositoryServer, store: SqlStore
) -> None:
    for number in range(1, 30):
        github.merge(number, at(number))
    found, now, turns = shop(github), NOW, 0
    opened = source(found)
    while True:
        github.left, github.reset = 20, now + timedelta(minutes=30)
        turn = collect(found, store, now, opened)
        turns += 1
        assert turn.duplicates == turn.conflicts == 0
        if turn.is_complete:
            break
        assert turn.retry_at == github.reset
        assert "rate limit" in turn.error
        before = len(github.asked)
        collect(found, store, now + timedelta(minutes=29), opened)
        assert len(github.asked) == before, "nothing is asked before the limit is renewed"
        now += timedelta(minutes=30)
        assert turns < 20
    opened.close()

    assert sorted(map(int, numbers(store))) == list(range(1, 30))
    assert turns > 3


@pytest.mark.parametrize(
    ("answered", "pause"),
    [
        (Answered(403, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "90"}), 90),
        (Answered(429, {"message": "Too many"}, {"Retry-After": "17"}), 17),
        (Answered(403, {"message": "You have exceeded a secondary rate limit."}), 60),
        (Answered(429, {}, {"Retry-After": "Tue, 01 Sep 2026 00:03:00 GMT"}), 180),
        (Answered(429, {}, {"Retry-After": "999999999999"}), 7200),
    ],
)
def test_a_secondary_limit_is_kept_as_long_as_it_says(
    github: GitHubRepositoryServer, store: SqlStore, answered: Answered, pause: int
) -> None:
    github.secondary = answered

    assert collect(shop(github), store).retry_at == NOW + timedelta(seconds=pause)


PASSING = (Failure.SERVER_ERROR, Failure.RESET, Failure.GARBAGE)


@pytest.mark.parametrize("failure", PASSING)
def test_what_fails_on_the_way_is_repeated_and_nothing_is_lost(
    github: GitHubRepositoryServer, store: SqlStore, failure: Failure
) -> None:
    for number in range(1, 4):
        github.merge(number, at(number))
    github.fail(failure, only=lambda each: each.path.endswith("/pulls/2"))
    found = shop(github)

    first = collect(found, store)
    second = collect(found, store)

    assert first.error
    assert TOKEN not in first.error
    assert second.is_complete
    assert numbers(store) == ["1", "2", "3"]


@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.SLOW_BODY])
def test_a_host_that_dawdles_is_left(github: GitHubRepositoryServer, store: SqlStore, failure: Failure) -> None:
    github.fail_always(failure)
    opened = GitHubSource(shop(github), token=TOKEN, now=NOW, call_seconds=0.1)

    collected = Collector(store).collect(shop(github), opened, NOW)

    assert "did not answer within 0.1 s" in collected.error


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (Answered(301, b"", {"Location": "https://api.github.example/repositories/1"}), "has moved"),
        (Answered(404, {"message": "Not Found"}), "Does it exist, and may the token read it?"),
        (Answered(403, {"message": "Resource not accessible by personal access token"}), "status 403"),
        (Answered(200, b"<html>"), "is no JSON"),
        (Answered(200, [1, 2]), "unknown shape"),
        (Answered(200, {"html_url": "https://x"}), "unknown shape"),
    ],
)
def test_what_will_not_pass_is_told(
    github: GitHubRepositoryServer, store: SqlStore, answered: Answered, said: str
) -> None:
    github.secondary = answered

    collected = collect(shop(github), store)

    assert said in collected.error
    assert collected.retry_at == NOW + timedelta(minutes=15)


def test_a_wrong_token_is_refused_and_not_shown(github: GitHubRepositoryServer, store: SqlStore) -> None:
    collected = Collector(store).collect(shop(github), source(shop(github), "ghp_wrong"), NOW)

    assert "status 401" in collected.error
    assert "ghp_wrong" not in collected.error


def test_the_token_does_not_follow_a_link_to_another_host(github: GitHubRepositoryServer, store: SqlStore) -> None:
    with GitHubRepositoryServer() as other:
        github.merge(1, at(0))
        github.commits[1] = [at(0)]
        link = {"Link": f'<{other.url}/repos/acme/shop/issues?page=2>; rel="next"'}
        real = github._answer

        def answer(path: str, query: Any) -> Answered:
            found = real(path, query)
            return Answered(found.status, found.body, link) if path.endswith("/commits") else found

        github._answer = answer  # type: ignore[method-assign]

        assert "on another host" in collect(shop(github), store).error
        assert not other.asked


def test_a_host_whose_list_never_ends_is_left(github: GitHubRepositoryServer, store: SqlStore) -> None:
    asked, real = 0, github._answer

    def answer(path: str, query: Any) -> Answered:
        nonlocal asked
        if not path.endswith("/issues"):
            return real(path, query)
        asked += 1
        return Answered(200, [], {"Link": f'<{github.url}{path}?page=2>; rel="next"'})

    github._answer = answer  # type: ignore[method-assign]

    assert "an answer of unknown shape" in collect(shop(github), store).error
    assert asked == 1000


def test_services_with_paths_get_the_requests_whose_files_are_theirs(
    github: GitHubRepositoryServer, store: SqlStore
) -> None:
    for number, files in ((1, ["checkout/a"]), (2, ["README.md"]), (3, ["billing/b", "checkout/a"])):
        github.merge(number, at(number))
        github.files[number] = files
    services = [RepositoryService("checkout", ("checkout/**",)), RepositoryService("billing", ("billing/**",))]

    collect(shop(github, services=services), store)

    assert [each.own["services"] for each in told(store, "change.")] == [["checkout"], ["-"], ["checkout", "billing"]]


def test_deployments_are_told_when_they_have_come_to_their_end(github: GitHubRepositoryServer, store: SqlStore) -> None:
    github.deployments = [
        Deployed(1, "a" * 40, "production", at(1), [("in_progress", at(1)), ("success", at(2)), ("inactive", at(9))]),
        Deployed(2, "b" * 40, "staging", at(3), [("success", at(4))]),
        Deployed(3, "c" * 40, "production", NOW - timedelta(hours=2), [("in_progress", NOW - timedelta(hours=2))]),
        Deployed(4, "d" * 40, "production", at(6), [("failure", at(7))]),
        Deployed(5, "e" * 40, "production", at(7), [("failure", at(8)), ("success", at(9))]),
    ]
    terms = DeploymentTerms(DeploymentsFrom.DEPLOYMENTS, environments={"production": "live"})
    found = shop(github, deployments=terms)
    collect(found, store)
    github.deployments[2].statuses.append(("success", NOW - timedelta(hours=1)))

    again = collect(found, store)

    assert again.taken == 1
    deployed = told(store, "service.")
    assert [(each.own["deployment"], each.at) for each in deployed] == [
        ("1", at(2)), ("5", at(9)), ("3", NOW - timedelta(hours=1)),
    ]  # fmt: skip
    assert [each.own["revision"][0] for each in deployed] == ["a", "e", "c"]
    assert len(told(store, "pipelinerun.")) == 1, "a failure before anybody was served by it is no deployment"


def test_a_deployment_of_several_services_is_one_of_each_unless_it_says_which(
    github: GitHubRepositoryServer, store: SqlStore
) -> None:
    github.deployments = [
        Deployed(1, "a" * 40, "production", at(1), [("success", at(2))]),
        Deployed(2, "b" * 40, "production", at(3), [("success", at(4))], payload={"flyball": {"service": "billing"}}),
        Deployed(
            3, "c" * 40, "production", at(5), [("success", at(6))], payload='{"flyball": {"service": "checkout"}}'
        ),
    ]
    services = [RepositoryService("checkout"), RepositoryService("billing")]

    collect(shop(github, deployments=DeploymentTerms(DeploymentsFrom.DEPLOYMENTS), services=services), store)

    assert [(each.subject, each.own["deployment"]) for each in told(store, "service.")] == [
        ("billing", "1/billing"), ("checkout", "1/checkout"), ("billing", "2"), ("checkout", "3"),
    ]  # fmt: skip


def test_deployments_that_are_deleted_while_the_list_is_read_make_none_fall_out(
    github: GitHubRepositoryServer, store: SqlStore
) -> None:
    github.page_size = 3
    github.deployments = [
        Deployed(number, f"{number:040x}", "production", at(number), [("success", at(number + 1))])
        for number in range(1, 13)
    ]
    found = shop(github, deployments=DeploymentTerms(DeploymentsFrom.DEPLOYMENTS), changes=ChangesFrom.NONE)
    real = github._answer

    def answer(path: str, query: Any) -> Answered:
        found = real(path, query)
        if path.endswith("/deployments") and query.get("page") == "2" and len(github.deployments) == 12:
            github.deployments.pop()  # the newest one, which was read: the others move up
        return found

    github._answer = answer  # type: ignore[method-assign]

    collect(found, store)

    assert {each.own["deployment"] for each in told(store, "service.")} == {str(number) for number in range(1, 13)}


def releases(github: GitHubRepositoryServer) -> None:
    """main: 1 2 3 4; v1 at 1, v2 at 3; a branch from 1 with 5 and v1.1; v3 at 4."""
    sha = {number: f"{number:040x}" for number in range(1, 6)}
    parents = {1: [], 2: [1], 3: [2], 4: [3], 5: [1]}
    for number, before in parents.items():
        github.merge(number, at(number))
        message = f"Merge pull request #{number} from acme/x" if number % 2 else f"Squashed (#{number})\n\nText"
        github.history[sha[number]] = ([sha[each] for each in before], message)
    github.tags = {"v1": sha[1], "v2": sha[3], "v1.1": sha[5], "v3": sha[4]}
    times = {"v1": 10, "v2": 20, "v1.1": 30, "v3": 40}
    github.releases = [
        {"tag_name": tag, "published_at": f"{at(hours):%Y-%m-%dT%H:%M:%SZ}", "draft": False, "prerelease": False,
         "html_url": f"https://github.example/acme/shop/releases/{tag}"}
        for tag, hours in reversed(times.items())
    ]  # fmt: skip
    github.releases.insert(0, {**github.releases[0], "tag_name": "v4", "draft": True, "published_at": None})
    github.releases.insert(0, {**github.releases[1], "tag_name": "v3-rc.1", "prerelease": True})


@pytest.mark.parametrize("size", [100, 2])
def test_releases_bring_the_requests_that_no_earlier_release_had(
    github: GitHubRepositoryServer, store: SqlStore, size: int
) -> None:
    releases(github)
    github.page_size = size

    collect(shop(github, deployments=DeploymentTerms(DeploymentsFrom.RELEASES)), store)

    assert [(each.own["version"], each.own.get("changes")) for each in told(store, "service.")] == [
        ("v1", None),
        ("v2", ["3", "2"]),
        ("v1.1", ["5"]),
        ("v3", ["4"]),
    ]
    assert collect(shop(github, deployments=DeploymentTerms(DeploymentsFrom.RELEASES)), store).taken == 0


def test_a_release_whose_tag_is_gone_is_left_out(github: GitHubRepositoryServer, store: SqlStore) -> None:
    releases(github)
    del github.tags["v2"]

    collected = collect(shop(github, deployments=DeploymentTerms(DeploymentsFrom.RELEASES)), store)

    assert collected.is_complete
    assert [each.own["version"] for each in told(store, "service.")] == ["v1", "v1.1", "v3"]


def test_runs_of_a_workflow_are_deployments(github: GitHubRepositoryServer, store: SqlStore) -> None:
    github.page_size = 2
    github.runs = [
        {"id": number, "run_number": number, "head_sha": f"{number:040x}", "html_url": f"https://github.example/r/{number}",
         "created_at": f"{at(number):%Y-%m-%dT%H:%M:%SZ}", "updated_at": f"{at(number + 1):%Y-%m-%dT%H:%M:%SZ}"}
        for number in range(1, 6)
    ]  # fmt: skip
    found = shop(github, deployments=DeploymentTerms(DeploymentsFrom.PIPELINES, workflow="deploy.yml"))

    assert (collect(found, store).taken, collect(found, store).taken) == (5, 0)
    first = told(store, "service.")[0]
    assert (first.at, first.own["version"], first.own["run"]) == (at(2), "#1", f"{NAME}/actions/runs/1")
