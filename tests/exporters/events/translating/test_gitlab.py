"""GitLab's webhooks."""

from typing import Any

import pytest

from exporters.cloudevents.faults import Malformed
from tests.exporters.events.translating.payloads import (
    EARLIER,
    GITLAB_DEPLOYMENT,
    GITLAB_INCIDENT,
    GITLAB_MERGE,
    GITLAB_PUSH,
    SHA,
    Json,
    changed,
    content,
    gitlab_commit,
    own,
    short,
    taken,
    told,
)


def gitlab(payload: Json) -> list[Json]:
    return told("gitlab", payload)


def test_a_deployment_that_succeeded_is_one_of_the_projects_service() -> None:
    [event] = gitlab(GITLAB_DEPLOYMENT)
    assert (short(event), event["subject"], event["time"]) == ("service.deployed", "shop", "2026-11-20T11:05:00Z")
    assert event["source"] == "https://gitlab.example.com/acme/retail/shop"
    assert content(event) == {"environment": {"id": "production"}, "artifactId": f"pkg:generic/acme/retail/shop@{SHA}"}
    assert own(event) == {
        "deployment": "15", "version": "v2.14.0", "repository": "gitlab.example.com/acme/retail/shop", "revision": SHA,
        "outcome": "succeeded", "url": "https://gitlab.example.com/acme/retail/shop/-/jobs/796",
    }  # fmt: skip


@pytest.mark.parametrize(("status", "outcome"), [("failed", "failure"), ("canceled", "cancel")])
def test_a_failed_deployment_is_kept_and_is_none(status: str, outcome: str) -> None:
    [event] = gitlab(changed(GITLAB_DEPLOYMENT, "status", status))
    assert (short(event), content(event)["outcome"]) == ("pipelinerun.finished", outcome)
    assert gitlab(changed(GITLAB_DEPLOYMENT, "status", "running")) == []


def test_review_apps_tell_nothing() -> None:
    assert gitlab(changed(GITLAB_DEPLOYMENT, "environment", "review/hotfix-round")) == []


def test_a_branch_is_no_version_and_a_short_revision_is_better_than_none() -> None:
    [event] = gitlab(changed(changed(GITLAB_DEPLOYMENT, "commit_url", ""), "ref", "main"))
    assert own(event)["revision"] == SHA[:8]
    assert "version" not in own(event)


def test_a_merged_request_is_a_change() -> None:
    [event] = gitlab(GITLAB_MERGE)
    assert (short(event), event["subject"], event["time"]) == ("change.merged", "12", "2026-11-19T16:30:00Z")
    assert own(event) == {
        "revision": SHA, "openedAt": "2026-11-18T08:00:00Z", "services": ["checkout"], "title": "Checkout: round once",
        "url": "https://gitlab.example.com/acme/retail/shop/-/merge_requests/12", "labels": ["service::checkout"],
        "branch": "hotfix/round",
    }  # fmt: skip


def test_a_fast_forward_has_the_requests_last_commit() -> None:
    [event] = gitlab(changed(GITLAB_MERGE, "object_attributes.merge_commit_sha", None))
    assert own(event)["revision"] == EARLIER


def test_words_that_are_mended_after_the_merge_are_told_again() -> None:
    [event] = gitlab(changed(GITLAB_MERGE, "object_attributes.action", "update"))
    assert short(event) == "change.merged"
    opened = changed(changed(GITLAB_MERGE, "object_attributes.action", "update"), "object_attributes.state", "opened")
    assert gitlab(opened) == []


@pytest.mark.parametrize("action", ["approved", "approval"])
def test_an_approval_is_told(action: str) -> None:
    [event] = gitlab(changed(GITLAB_MERGE, "object_attributes.action", action))
    assert short(event) == "change.reviewed"
    assert own(event)["approvedAt"] == "2026-11-19T16:30:00Z"


def test_only_the_default_branch_matters() -> None:
    assert gitlab(changed(GITLAB_MERGE, "object_attributes.target_branch", "stable")) == []
    assert gitlab(changed(GITLAB_PUSH, "ref", "refs/heads/stable")) == []
    assert gitlab(changed(GITLAB_PUSH, "after", "0" * 40)) == []


def test_a_revert_names_the_request_that_it_takes_back() -> None:
    reverting = changed(GITLAB_MERGE, "object_attributes.description", "This reverts merge request !12")
    assert own(gitlab(reverting)[0])["reverts"] == "!12"
    by_commit = changed(GITLAB_MERGE, "object_attributes.description", f"x\n\nThis reverts commit {EARLIER}")
    assert own(gitlab(by_commit)[0])["reverts"] == EARLIER


def test_the_push_of_a_merge_tells_when_its_work_began() -> None:
    [event] = gitlab(GITLAB_PUSH)
    assert taken(event).entity == taken(gitlab(GITLAB_MERGE)[0]).entity
    assert own(event) == {"revision": SHA, "firstCommitAt": "2026-11-18T07:00:00Z"}


def test_a_squash_and_a_push_that_is_told_in_part_do_not_tell_when_work_began() -> None:
    squashed = gitlab_commit(EARLIER, "Round once", "2026-11-19T18:29:58+02:00")
    [event] = gitlab(changed(GITLAB_PUSH, "commits.0", squashed))
    assert "firstCommitAt" not in own(event)
    [cut] = gitlab(changed(GITLAB_PUSH, "total_commits_count", 30))
    assert "firstCommitAt" not in own(cut)


def test_a_first_push_is_one_change_without_a_first_commit() -> None:
    [event] = gitlab(changed(GITLAB_PUSH, "before", "0" * 40))
    assert (event["subject"], "firstCommitAt" in own(event)) == (f"@{SHA}", False)


def incident(**changes: Any) -> Json:
    return GITLAB_INCIDENT | {"object_attributes": GITLAB_INCIDENT["object_attributes"] | changes}


def test_an_incident_is_one_from_its_opening_until_it_is_closed() -> None:
    [event] = gitlab(GITLAB_INCIDENT)
    assert (short(event), content(event)["service"]["id"]) == ("incident.detected", "checkout")
    assert own(event) == {
        "name": "shop#9", "title": "Checkout refuses cards", "priority": "P1", "deployment": "15",
        "url": "https://gitlab.example.com/acme/retail/shop/-/issues/incident/9", "startedAt": "2026-11-20T10:10:00Z",
    }  # fmt: skip
    [over] = gitlab(incident(action="close", state="closed", updated_at="2026-11-20 11:00:00 UTC"))
    assert (short(over), over["time"]) == ("incident.resolved", "2026-11-20T11:00:00Z")
    _, again = gitlab(incident(action="reopen", updated_at="2026-11-20 11:30:00 UTC"))
    assert (short(again), again["time"]) == ("incident.detected", "2026-11-20T11:30:00Z")


def test_other_issues_tell_nothing() -> None:
    assert gitlab(incident(type="Issue")) == []
    assert gitlab(incident(type="Issue", labels=[{"title": "incident"}])) != []
    assert gitlab({"object_kind": "note"}) == []


def test_a_project_without_an_address_is_malformed() -> None:
    with pytest.raises(Malformed) as caught:
        gitlab(changed(GITLAB_DEPLOYMENT, "project.web_url", ""))
    assert caught.value.field == "project.web_url"
