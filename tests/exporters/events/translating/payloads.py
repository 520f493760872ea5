"""Webhooks as their senders' documentation describes them, written by hand, and how their translation is read."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.model.delivery import DeliveryEvent
from exporters.events.reading import Candidate, EventReader, Terms
from exporters.events.translating.senders import all_translators
from exporters.events.translators import Translator

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SHA = "4f1e0d9c8b7a69584736251403f2e1d0c9b8a796"
BEFORE = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
EARLIER = "9b8a7c6d5e4f30211203f4e5d6c7b8a990817263"
OURS = "flyball/9f2c41d0aa/pagerduty:sre"
SENDERS = all_translators(lambda key: key.split("/")[1] if key.startswith("flyball/") else "")
READER = EventReader(Terms("test", tolerance=timedelta(days=3_000_000)))  # whatever the payload says, in any year
CLOCK = EventReader(Terms("test"))
Json = dict[str, Any]


def sender(name: str) -> Translator:
    return SENDERS[name]


def told(name: str, payload: object, headers: dict[str, str] | None = None) -> list[Json]:
    """The CloudEvents; each must be what the intake takes."""
    events: list[Json] = SENDERS[name].translate(headers or {}, payload, NOW)
    for event in events:
        taken(event)
    return events


def taken(event: object) -> DeliveryEvent:
    return CLOCK.event(Candidate("", event), NOW)


def own(event: Json) -> Json:
    """Our own fields of an event."""
    fields: Json = event["data"].get("customData", {}).get("flyball", {})
    return fields


def content(event: Json) -> Json:
    found: Json = event["data"]["subject"]["content"]
    return found


def short(event: Json) -> str:
    """`service.deployed` of its type."""
    return ".".join(str(event["type"]).split(".")[2:4])


def changed(payload: Json, path: str, value: object) -> Json:
    """A copy with another value at a path such as `deployment.payload`."""
    copy = deepcopy(payload)
    *parents, last = path.split(".")
    found: Any = copy
    for name in parents:
        found = found[int(name)] if isinstance(found, list) else found[name]
    found[int(last) if isinstance(found, list) else last] = value
    return copy


# --- GitHub -----------------------------------------------------------------------------------------------------------
GITHUB_REPOSITORY: Json = {
    "id": 4711,
    "name": "Shop",
    "full_name": "Acme/Shop",
    "html_url": "https://github.com/Acme/Shop",
    "clone_url": "https://github.com/Acme/Shop.git",
    "default_branch": "main",
    "private": True,
}
GITHUB_DEPLOYMENT: Json = {
    "action": "created",
    "deployment_status": {
        "id": 209916254,
        "state": "success",
        "environment": "production",
        "description": "",
        "target_url": "",
        "log_url": "https://github.com/Acme/Shop/actions/runs/77/job/5",
        "created_at": "2026-11-20T11:05:00Z",
        "updated_at": "2026-11-20T11:05:00Z",
    },
    "deployment": {
        "id": 145988746,
        "sha": SHA,
        "ref": "v2.14.0",
        "task": "deploy",
        "payload": {},
        "original_environment": "production",
        "environment": "production",
        "description": None,
        "created_at": "2026-11-20T11:00:00Z",
        "updated_at": "2026-11-20T11:05:00Z",
        "transient_environment": False,
        "production_environment": True,
    },
    "workflow_run": {"id": 77, "name": "release"},
    "check_run": {"id": 5},
    "repository": GITHUB_REPOSITORY,
    "sender": {"login": "deploy-bot[bot]", "type": "Bot"},
}
GITHUB_PULL_REQUEST: Json = {
    "action": "closed",
    "number": 12,
    "pull_request": {
        "number": 12,
        "state": "closed",
        "merged": True,
        "title": "Checkout: round once ✓",
        "body": "Rounds once per invoice line.\n\nRemedies: INC-7\n",
        "html_url": "https://github.com/Acme/Shop/pull/12",
        "created_at": "2026-11-18T08:00:00Z",
        "updated_at": "2026-11-19T16:30:00Z",
        "closed_at": "2026-11-19T16:30:00Z",
        "merged_at": "2026-11-19T16:30:00Z",
        "merge_commit_sha": SHA,
        "labels": [{"name": "service:checkout"}, {"name": "bug"}],
        "head": {"ref": "hotfix/round", "sha": EARLIER},
        "base": {"ref": "main", "sha": BEFORE},
        "commits": 3,
    },
    "repository": GITHUB_REPOSITORY,
}
GITHUB_REVIEW: Json = {
    "action": "submitted",
    "review": {
        "id": 880,
        "state": "approved",
        "submitted_at": "2026-11-19T15:00:00Z",
        "html_url": "https://github.com/Acme/Shop/pull/12#pullrequestreview-880",
    },
    "pull_request": {"number": 12, "base": {"ref": "main"}},
    "repository": GITHUB_REPOSITORY,
}


def github_commit(revision: str, message: str, at: str, by: str = "ann") -> Json:
    return {
        "id": revision,
        "tree_id": "f" * 40,
        "message": message,
        "timestamp": at,
        "url": f"https://github.com/Acme/Shop/commit/{revision}",
        "author": {"name": "Ann", "email": "ann@example.com", "username": "ann"},
        "committer": {"name": "GitHub", "email": "noreply@github.com", "username": "web-flow"}
        if by == "web-flow"
        else {"name": "Ann", "email": "ann@example.com", "username": by},
        "added": [],
        "removed": [],
        "modified": ["checkout.py"],
    }


GITHUB_PUSH: Json = {
    "ref": "refs/heads/main",
    "before": BEFORE,
    "after": SHA,
    "created": False,
    "deleted": False,
    "forced": False,
    "base_ref": None,
    "commits": [
        github_commit(EARLIER, "Round once\n\nPer line.", "2026-11-19T09:00:00+02:00"),
        github_commit(SHA, "Name it better", "2026-11-19T18:00:00+02:00"),
    ],
    "head_commit": github_commit(SHA, "Name it better", "2026-11-19T18:00:00+02:00"),
    "repository": GITHUB_REPOSITORY | {"pushed_at": 1795104600, "created_at": 1700000000},
    "pusher": {"name": "ann"},
}
GITHUB_ISSUE: Json = {
    "action": "labeled",
    "issue": {
        "number": 31,
        "title": "Checkout refuses cards",
        "body": "It began at ten.\nCaused by: v2.14.0\n",
        "state": "open",
        "state_reason": None,
        "html_url": "https://github.com/Acme/Shop/issues/31",
        "created_at": "2026-11-20T10:10:00Z",
        "updated_at": "2026-11-20T10:12:00Z",
        "closed_at": None,
        "labels": [{"name": "incident"}, {"name": "service:checkout"}, {"name": "priority:P1"}],
    },
    "label": {"name": "incident"},
    "repository": GITHUB_REPOSITORY,
}

# --- GitLab -----------------------------------------------------------------------------------------------------------
GITLAB_PROJECT: Json = {
    "id": 30,
    "name": "Shop",
    "web_url": "https://gitlab.example.com/acme/retail/shop",
    "git_http_url": "https://gitlab.example.com/acme/retail/shop.git",
    "path_with_namespace": "acme/retail/shop",
    "default_branch": "main",
}
GITLAB_DEPLOYMENT: Json = {
    "object_kind": "deployment",
    "status": "success",
    "status_changed_at": "2026-11-20 13:05:00 +0200",
    "deployment_id": 15,
    "deployable_id": 796,
    "deployable_url": "https://gitlab.example.com/acme/retail/shop/-/jobs/796",
    "environment": "production",
    "environment_tier": "production",
    "environment_slug": "production",
    "environment_external_url": "https://shop.example.com",
    "project": GITLAB_PROJECT,
    "short_sha": SHA[:8],
    "commit_url": f"https://gitlab.example.com/acme/retail/shop/-/commit/{SHA}",
    "commit_title": "Round once",
    "ref": "v2.14.0",
}
GITLAB_MERGE: Json = {
    "object_kind": "merge_request",
    "event_type": "merge_request",
    "project": GITLAB_PROJECT,
    "object_attributes": {
        "iid": 12,
        "action": "merge",
        "state": "merged",
        "title": "Checkout: round once",
        "description": "Rounds once per invoice line.",
        "source_branch": "hotfix/round",
        "target_branch": "main",
        "created_at": "2026-11-18 08:00:00 UTC",
        "updated_at": "2026-11-19 16:30:00 UTC",
        "merge_commit_sha": SHA,
        "last_commit": {"id": EARLIER, "timestamp": "2026-11-19T11:00:00+02:00"},
        "url": "https://gitlab.example.com/acme/retail/shop/-/merge_requests/12",
    },
    "labels": [{"id": 1, "title": "service::checkout"}],
}


def gitlab_commit(revision: str, message: str, at: str) -> Json:
    url = f"https://gitlab.example.com/acme/retail/shop/-/commit/{revision}"
    return {"id": revision, "message": message, "title": message.split("\n")[0], "timestamp": at, "url": url}


GITLAB_PUSH: Json = {
    "object_kind": "push",
    "before": BEFORE,
    "after": SHA,
    "ref": "refs/heads/main",
    "checkout_sha": SHA,
    "project": GITLAB_PROJECT,
    "commits": [
        gitlab_commit(EARLIER, "Round once", "2026-11-18T09:00:00+02:00"),
        gitlab_commit(
            SHA,
            "Merge branch 'hotfix/round' into 'main'\n\nRound once\n\nSee merge request acme/retail/shop!12",
            "2026-11-19T18:30:00+02:00",
        ),
    ],
    "total_commits_count": 2,
}
GITLAB_INCIDENT: Json = {
    "object_kind": "work_item",
    "event_type": "issue",
    "project": GITLAB_PROJECT,
    "object_attributes": {
        "iid": 9,
        "type": "Incident",
        "action": "open",
        "state": "opened",
        "title": "Checkout refuses cards",
        "description": "Deployment: 15",
        "severity": "critical",
        "created_at": "2026-11-20 10:10:00 UTC",
        "updated_at": "2026-11-20 10:10:00 UTC",
        "url": "https://gitlab.example.com/acme/retail/shop/-/issues/incident/9",
        "labels": [{"title": "service::checkout"}],
    },
}

# --- Argo, Flagger ----------------------------------------------------------------------------------------------------
ARGOCD: Json = {
    "name": "checkout-prod",
    "namespace": "argocd",
    "uid": "1fb0c9a1-7d25-4c1c-9b68-9d1b5a2f2a10",
    "service": "checkout",
    "environment": "production",
    "repository": "",
    "revision": "",
    "version": "",
    "manifests": {"repository": "https://github.com/acme/deploy.git", "revision": SHA},
    "images": ["ghcr.io/acme/checkout:2.14.0", "docker.io/library/redis:7"],
    "history": 41,
    "phase": "Succeeded",
    "startedAt": "2026-11-20T11:00:00Z",
    "finishedAt": "2026-11-20T11:00:40Z",
    "url": "https://argocd.example.com/applications/checkout-prod",
}
ROLLOUT: Json = {
    "event": "completed",
    "at": "2026-11-20T11:20:00Z",
    "name": "checkout",
    "namespace": "shop",
    "uid": "a2b5c1c8-0c0f-4d53-8f0c-6e1a7c1d9b42",
    "rolloutRevision": "17",
    "service": "",
    "environment": "production",
    "repository": "https://github.com/acme/shop",
    "revision": "",
    "version": "",
    "images": [f"ghcr.io/acme/checkout:{SHA}"],
}
FLAGGER: Json = {
    "name": "podinfo",
    "namespace": "test",
    "phase": "Succeeded",
    "checksum": "85d557f47b",
    "metadata": {
        "environment": "production",
        "eventMessage": "Promotion completed! Scaling down podinfo.test",
        "eventType": "Normal",
        "timestamp": "1795172400123",
    },
}

# --- PagerDuty, Alertmanager ------------------------------------------------------------------------------------------
PAGERDUTY: Json = {
    "event": {
        "id": "5ac64822-4adc-4fda-ade0-410becf0de4f",
        "event_type": "incident.triggered",
        "resource_type": "incident",
        "occurred_at": "2026-11-20T10:10:22.169Z",
        "agent": {"id": "PLH1HKV", "summary": "Ann", "type": "user_reference"},
        "client": None,
        "data": {
            "id": "PGR0VU2",
            "type": "incident",
            "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
            "number": 2,
            "status": "triggered",
            "incident_key": "d3640fbd41094207a1c11e58e46b1662",
            "created_at": "2026-11-20T10:10:22Z",
            "title": "Checkout refuses cards",
            "service": {"id": "PF9KMXH", "summary": "checkout", "type": "service_reference"},
            "priority": {"id": "PSO75BM", "summary": "P1", "type": "priority_reference"},
            "urgency": "high",
        },
    }
}


def alert(**changes: object) -> Json:
    whole: Json = {
        "status": "firing",
        "labels": {"alertname": "CheckoutErrors", "service": "checkout", "severity": "critical"},
        "annotations": {"summary": "5.3 % of checkouts fail"},
        "startsAt": "2026-11-20T12:10:00.123456789+02:00",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
        "fingerprint": "3b7c9d0a1f2e4d56",
    }
    return whole | changes


ALERTS: Json = {
    "version": "4",
    "groupKey": '{}:{service="checkout"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "flyball-events",
    "groupLabels": {"service": "checkout"},
    "commonLabels": {"service": "checkout"},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager:9093",
    "alerts": [alert()],
}

ALL: list[tuple[str, dict[str, str], Json]] = [
    ("github", {"x-github-event": "deployment_status"}, GITHUB_DEPLOYMENT),
    ("github", {"x-github-event": "pull_request"}, GITHUB_PULL_REQUEST),
    ("github", {"x-github-event": "pull_request_review"}, GITHUB_REVIEW),
    ("github", {"x-github-event": "push"}, GITHUB_PUSH),
    ("github", {"x-github-event": "issues"}, GITHUB_ISSUE),
    ("gitlab", {}, GITLAB_DEPLOYMENT),
    ("gitlab", {}, GITLAB_MERGE),
    ("gitlab", {}, GITLAB_PUSH),
    ("gitlab", {}, GITLAB_INCIDENT),
    ("argocd", {}, ARGOCD),
    ("argo-rollouts", {}, ROLLOUT),
    ("flagger", {}, FLAGGER),
    ("pagerduty", {}, PAGERDUTY),
    ("alertmanager", {}, ALERTS),
]
