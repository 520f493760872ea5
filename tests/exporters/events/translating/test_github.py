"""GitHub's webhooks."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane.model.delivery import DeliveryIncident, Deployment
from exporters.cloudevents.faults import Malformed
from exporters.dora.facts.changes import change_of
from exporters.dora.facts.deployments import deployment_of
from exporters.dora.facts.incidents import incident_of
from exporters.dora.facts.statements import statements
from exporters.dora.policy.model import DeliveryPolicy
from tests.exporters.events.translating.payloads import (
    BEFORE,
    EARLIER,
    GITHUB_DEPLOYMENT,
    GITHUB_ISSUE,
    GITHUB_PULL_REQUEST,
    GITHUB_PUSH,
    GITHUB_REVIEW,
    SHA,
    Json,
    changed,
    content,
    github_commit,
    own,
    short,
    taken,
    told,
)


def github(kind: str, payload: Json) -> list[Json]:
    return told("github", payload, {"x-github-event": kind})


def status(payload: Json = GITHUB_DEPLOYMENT) -> list[Json]:
    return github("deployment_status", payload)


def deployment(*payloads: Json) -> Deployment:
    events = [taken(event) for payload in payloads for event in status(payload)]
    assert len({event.entity for event in events}) == 1
    found = deployment_of(events[0].entity.partition(":")[2], statements(events), DeliveryPolicy())
    assert found is not None
    return found


# --- deployments ------------------------------------------------------------------------------------------------------
def test_a_deployment_that_succeeded_is_one_of_the_repositorys_service() -> None:
    [event] = status()
    assert (short(event), event["subject"], event["source"]) == (
        "service.deployed", "Shop", "https://github.com/Acme/Shop",
    )  # fmt: skip
    assert event["time"] == "2026-11-20T11:05:00Z"
    assert content(event) == {"environment": {"id": "production"}, "artifactId": f"pkg:github/acme/shop@{SHA}"}
    assert own(event) == {
        "deployment": "145988746", "version": "v2.14.0", "repository": "github.com/Acme/Shop", "revision": SHA,
        "outcome": "succeeded", "startedAt": "2026-11-20T11:00:00Z", "run": "github.com/Acme/Shop/actions/runs/77",
        "url": "https://github.com/Acme/Shop/actions/runs/77/job/5",
    }  # fmt: skip


def test_several_statuses_are_one_deployment_and_its_last_outcome_counts() -> None:
    progressive = changed(GITHUB_DEPLOYMENT, "deployment.payload", {"flyball": {"progressive": True}})
    failed = changed(progressive, "deployment_status", {
        **GITHUB_DEPLOYMENT["deployment_status"], "id": 209916255, "state": "failure",
        "created_at": "2026-11-20T11:09:00Z",
    })  # fmt: skip
    assert deployment(progressive).outcome.value == "succeeded"
    both = deployment(progressive, failed)
    assert (both.outcome.value, both.service, both.revision) == ("failed", "Shop", SHA)


@pytest.mark.parametrize(("state", "outcome"), [("failure", "failure"), ("error", "error")])
def test_a_failure_before_anybody_was_served_is_kept_and_is_no_deployment(state: str, outcome: str) -> None:
    [event] = status(changed(GITHUB_DEPLOYMENT, "deployment_status.state", state))
    assert (short(event), content(event)["outcome"]) == ("pipelinerun.finished", outcome)
    assert not taken(event).is_known


@pytest.mark.parametrize("state", ["inactive", "in_progress", "queued", "pending", "waiting"])
def test_other_states_tell_nothing(state: str) -> None:
    assert status(changed(GITHUB_DEPLOYMENT, "deployment_status.state", state)) == []


def test_short_lived_environments_and_other_tasks_tell_nothing() -> None:
    assert status(changed(GITHUB_DEPLOYMENT, "deployment.transient_environment", True)) == []
    assert status(changed(GITHUB_DEPLOYMENT, "deployment.task", "deploy:migrations")) == []


def test_whoever_deploys_may_say_more_of_it_as_an_object_or_as_text() -> None:
    said = {"flyball": {
        "service": "checkout", "version": "2.14.0", "artifact": "pkg:oci/checkout@sha256%3Aab", "changes": [12, "#13"],
        "undoes": "2.15.0", "remedies": "INC-7", "unplanned": True, "run": "release-9",
    }}  # fmt: skip
    for payload in (said, json.dumps(said)):
        [event] = status(changed(GITHUB_DEPLOYMENT, "deployment.payload", payload))
        assert (short(event), event["subject"]) == ("service.rolledback", "checkout")
        assert content(event)["artifactId"] == "pkg:oci/checkout@sha256%3Aab"
        expected = {
            "version": "2.14.0", "changes": ["12", "#13"], "undoes": "2.15.0", "remedies": "INC-7",
            "unplanned": True, "run": "release-9",
        }  # fmt: skip
        assert own(event).items() >= expected.items()
    [event] = status(changed(GITHUB_DEPLOYMENT, "deployment.payload", "not JSON {"))
    assert event["subject"] == "Shop"


def test_a_task_may_say_that_it_is_a_rollback() -> None:
    [event] = status(changed(GITHUB_DEPLOYMENT, "deployment.task", "rollback"))
    assert short(event) == "service.rolledback"


@pytest.mark.parametrize(
    ("ref", "version"),
    [("main", ""), ("refs/tags/nightly", "nightly"), ("2026.11.3", "2026.11.3"), ("release-1.2.0", "release-1.2.0"),
     ("feature/1.2.0", ""), (SHA, "")],
)  # fmt: skip
def test_a_ref_is_a_version_when_people_know_one_by_it(ref: str, version: str) -> None:
    [event] = status(changed(GITHUB_DEPLOYMENT, "deployment.ref", ref))
    assert own(event).get("version", "") == version


# --- pull requests ----------------------------------------------------------------------------------------------------
def test_a_merged_pull_request_is_a_change() -> None:
    [event] = github("pull_request", GITHUB_PULL_REQUEST)
    assert (short(event), event["subject"], event["time"]) == ("change.merged", "12", "2026-11-19T16:30:00Z")
    assert content(event) == {"repository": {"id": "github.com/Acme/Shop"}}
    assert own(event) == {
        "revision": SHA, "openedAt": "2026-11-18T08:00:00Z", "services": ["checkout"], "remedies": "INC-7",
        "title": "Checkout: round once ✓", "url": "https://github.com/Acme/Shop/pull/12",
        "labels": ["service:checkout", "bug"], "branch": "hotfix/round",
    }  # fmt: skip
    assert taken(event).entity == "change:github.com/Acme/Shop#12"


def test_only_what_was_merged_into_the_default_branch_is_a_change() -> None:
    assert github("pull_request", changed(GITHUB_PULL_REQUEST, "pull_request.merged", False)) == []
    assert github("pull_request", changed(GITHUB_PULL_REQUEST, "pull_request.base.ref", "release-1")) == []
    assert github("pull_request", changed(GITHUB_PULL_REQUEST, "action", "synchronize")) == []


def test_a_label_that_comes_after_the_merge_is_the_last_word() -> None:
    later = changed(GITHUB_PULL_REQUEST, "pull_request.updated_at", "2026-11-20T09:00:00Z")
    later = changed(later, "pull_request.labels", [{"name": "hotfix"}]) | {
        "action": "labeled",
        "label": {"name": "hotfix"},
    }
    [first], [second] = github("pull_request", GITHUB_PULL_REQUEST), github("pull_request", later)
    assert first["time"] == second["time"]
    assert first["id"] < second["id"]
    assert own(second)["labels"] == ["hotfix"]


def test_a_revert_names_what_it_takes_back() -> None:
    reverting = changed(GITHUB_PULL_REQUEST, "pull_request.title", 'Revert "Checkout: round once"')
    reverting = changed(reverting, "pull_request.body", "Reverts Acme/Shop#12")
    [event] = github("pull_request", reverting)
    assert own(event)["reverts"] == "Acme/Shop#12"
    again = changed(reverting, "pull_request.title", 'Reapply "Checkout: round once"')
    assert "reverts" not in own(github("pull_request", again)[0])


def test_an_approval_is_told_and_a_comment_is_not() -> None:
    [event] = github("pull_request_review", GITHUB_REVIEW)
    assert (short(event), event["subject"]) == ("change.reviewed", "12")
    assert own(event)["approvedAt"] == "2026-11-19T15:00:00Z"
    assert github("pull_request_review", changed(GITHUB_REVIEW, "review.state", "commented")) == []
    assert github("pull_request_review", changed(GITHUB_REVIEW, "action", "dismissed")) == []


# --- pushes -----------------------------------------------------------------------------------------------------------
def test_each_commit_without_a_request_is_a_change_of_its_own() -> None:
    first, second = github("push", GITHUB_PUSH)
    assert [first["subject"], second["subject"]] == [f"@{EARLIER}", f"@{SHA}"]
    assert own(first) == {
        "revision": EARLIER, "firstCommitAt": "2026-11-19T07:00:00Z", "title": "Round once", "branch": "main",
        "url": f"https://github.com/Acme/Shop/commit/{EARLIER}",
    }  # fmt: skip
    assert first["time"] == second["time"] == "2026-11-19T16:10:00Z"  # of the push


def test_a_merged_request_and_the_push_of_its_merge_are_one_change() -> None:
    merge = github_commit(
        SHA, "Merge pull request #12 from acme/hotfix/round\n\nRound", "2026-11-19T16:30:00Z", "web-flow"
    )
    [event] = github("push", changed(GITHUB_PUSH, "commits", [GITHUB_PUSH["commits"][0], merge]))
    assert taken(event).entity == taken(github("pull_request", GITHUB_PULL_REQUEST)[0]).entity
    assert own(event) == {"revision": SHA, "firstCommitAt": "2026-11-19T07:00:00Z"}


def test_a_request_and_its_push_make_one_fact_in_whatever_order_they_come() -> None:
    merge = github_commit(SHA, "Merge pull request #12 from acme/x", "2026-11-19T16:30:00Z", "web-flow")
    pushed = github("push", changed(GITHUB_PUSH, "commits", [GITHUB_PUSH["commits"][0], merge]))
    events = [taken(event) for event in [*pushed, *github("pull_request", GITHUB_PULL_REQUEST)]]
    facts = [
        change_of("github.com/Acme/Shop#12", statements(order), DeliveryPolicy()) for order in (events, events[::-1])
    ]
    assert facts[0] == facts[1]
    assert facts[0] is not None
    assert (facts[0].first_commit_at, facts[0].is_hotfix, facts[0].services) == (
        datetime(2026, 11, 19, 7, tzinfo=UTC), True, ("checkout",),
    )  # fmt: skip


def test_a_push_that_rewrites_history_is_one_change_without_a_first_commit() -> None:
    [event] = github("push", changed(GITHUB_PUSH, "forced", True))
    assert event["subject"] == f"@{SHA}"
    assert "firstCommitAt" not in own(event)
    [begun] = github("push", changed(changed(GITHUB_PUSH, "before", "0" * 40), "created", True))
    assert begun["subject"] == f"@{SHA}"


@pytest.mark.parametrize(("path", "value"), [("ref", "refs/heads/topic"), ("ref", "refs/tags/v1"), ("deleted", True)])
def test_what_goes_elsewhere_is_no_change(path: str, value: object) -> None:
    assert github("push", changed(GITHUB_PUSH, path, value)) == []


# --- incidents --------------------------------------------------------------------------------------------------------
def issue(**changes: Any) -> Json:
    payload = deepcopy(GITHUB_ISSUE)
    payload["issue"] |= {name: value for name, value in changes.items() if name != "action"}
    return payload | {"action": changes.get("action", "labeled")}


def incident(*events: Json) -> DeliveryIncident:
    found = incident_of("k", statements([taken(event) for event in events]), DeliveryPolicy())
    assert found is not None
    return found


def _at(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-20T{time}:00+00:00")


def test_an_issue_with_the_label_incident_is_one() -> None:
    [event] = github("issues", issue(action="opened"))
    assert (short(event), event["subject"], event["time"]) == ("incident.detected", "issue/31", "2026-11-20T10:10:00Z")
    assert content(event) == {"environment": {"id": "production"}, "service": {"id": "checkout"}}
    assert own(event) == {
        "name": "Shop#31", "title": "Checkout refuses cards", "priority": "P1", "deployment": "v2.14.0",
        "url": "https://github.com/Acme/Shop/issues/31", "counted": True, "startedAt": "2026-11-20T10:10:00Z",
    }  # fmt: skip


def test_it_is_over_when_it_is_closed_and_goes_on_when_it_is_reopened() -> None:
    closed = {"state": "closed", "closed_at": "2026-11-20T11:00:00Z", "updated_at": "2026-11-20T11:00:00Z"}
    [over] = github("issues", issue(action="closed", **closed))
    assert (short(over), over["time"]) == ("incident.resolved", "2026-11-20T11:00:00Z")
    begun, again = github("issues", issue(action="reopened", updated_at="2026-11-20T11:30:00Z"))
    assert (short(begun), begun["time"]) == ("incident.detected", "2026-11-20T10:10:00Z")
    assert (short(again), again["time"]) == ("incident.detected", "2026-11-20T11:30:00Z")
    assert own(again)["startedAt"] == "2026-11-20T10:10:00Z"


def test_one_that_is_labelled_after_the_fact_is_told_whole() -> None:
    closed = {"state": "closed", "closed_at": "2026-11-20T11:00:00Z", "updated_at": "2026-11-20T11:45:00Z"}
    events = github("issues", issue(**closed))
    assert [(short(event), event["time"]) for event in events] == [
        ("incident.reported", "2026-11-20T11:45:00Z"), ("incident.resolved", "2026-11-20T11:00:00Z"),
    ]  # fmt: skip
    assert len({event["id"] for event in events}) == 2
    fact = incident(*events)
    assert (fact.started_at, fact.resolved_at) == (_at("10:10"), _at("11:00"))


def test_the_last_words_count_and_reopen_nothing() -> None:
    closed = {"state": "closed", "closed_at": "2026-11-20T11:00:00Z"}
    labels = [{"name": "incident"}, {"name": "P3"}]
    fact = incident(
        *github("issues", GITHUB_ISSUE),
        *github("issues", issue(action="closed", updated_at="2026-11-20T11:00:00Z", **closed)),
        *github("issues", issue(updated_at="2026-11-20T11:50:00Z", labels=labels, **closed)),
    )
    assert (fact.priority, fact.resolved_at, fact.service) == ("P3", _at("11:00"), "Shop")
    again = incident(
        *github("issues", issue(action="closed", updated_at="2026-11-20T11:00:00Z", **closed)),
        *github("issues", issue(action="reopened", updated_at="2026-11-20T11:30:00Z")),
        *github("issues", issue(updated_at="2026-11-20T11:45:00Z", labels=labels)),
    )
    assert (again.priority, again.resolved_at) == ("P3", None)


def test_one_that_is_none_after_all_does_not_count() -> None:
    unlabelled = issue(action="unlabeled", labels=[], updated_at="2026-11-20T10:20:00Z")
    [event] = github("issues", unlabelled)
    assert own(event)["counted"] is False
    assert own(github("issues", issue(state_reason="not_planned"))[0])["counted"] is False
    assert github("issues", issue(labels=[{"name": "bug"}])) == []


CHANGES = "deployment.payload.flyball.changes"


# --- all of them ------------------------------------------------------------------------------------------------------
def test_a_ping_and_events_that_nobody_asked_for_tell_nothing() -> None:
    assert github("ping", {"zen": "Keep it logically awesome.", "hook_id": 1}) == []
    assert github("star", {"action": "created"}) == []


def test_what_comes_again_has_the_same_source_and_id() -> None:
    assert status() == status(deepcopy(GITHUB_DEPLOYMENT))


@pytest.mark.parametrize(
    ("kind", "path", "value", "field"),
    [
        ("deployment_status", "deployment.sha", None, "deployment.sha"),
        ("deployment_status", "deployment_status.created_at", "yesterday", "deployment_status.created_at"),
        ("deployment_status", "deployment.payload", {"flyball": {"changes": ["x" * 101]}}, CHANGES),
        ("deployment_status", "repository.html_url", "javascript:alert(1)", "repository.html_url"),
        ("pull_request", "pull_request.merged_at", None, "pull_request.merged_at"),
        ("pull_request", "pull_request.labels", [7], "pull_request.labels[0]"),
        ("push", "commits.1.timestamp", "2026-11-19T18:00:00", "commits[1].timestamp"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_path(kind: str, path: str, value: object, field: str) -> None:
    payloads = {"deployment_status": GITHUB_DEPLOYMENT, "pull_request": GITHUB_PULL_REQUEST, "push": GITHUB_PUSH}
    with pytest.raises(Malformed) as caught:
        github(kind, changed(payloads[kind], path, value))
    assert caught.value.field == field


def test_without_the_header_nobody_knows_what_it_is() -> None:
    with pytest.raises(Malformed, match="which event"):
        told("github", GITHUB_DEPLOYMENT)


def test_an_enterprise_server_has_a_name_of_its_own() -> None:
    [event] = status(changed(GITHUB_DEPLOYMENT, "repository.html_url", "https://git.acme.example/acme/shop"))
    assert own(event)["repository"] == "git.acme.example/acme/shop"
    assert content(event)["artifactId"] == f"pkg:generic/acme/shop@{SHA}"
    assert BEFORE not in str(event)
