"""GitLab's webhooks: deployments, merged requests, approvals, pushes to the default branch, incidents.

Source: https://docs.gitlab.com/user/project/integrations/webhooks and …/webhook_events. A webhook is known by its
signing token (`webhook-signature`, Standard Webhooks: nothing can be replayed after five minutes), or by its secret
token (`X-Gitlab-Token`, which covers neither body nor time). Where both come, the signature decides.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane.model.event import JSON
from exporters.cloudevents.faults import Malformed
from exporters.events.entities import repository_name
from exporters.events.translating import conventions, making
from exporters.events.translating.authenticity import UNAUTHORIZED, check_standard, header_bytes, matches_any
from exporters.events.translating.pushes import NOTHING, Brought, Commit, brought
from exporters.events.translating.reading import LONGEST_NAME, LONGEST_TITLE, Node, root
from exporters.events.translators import Refusal

NAME: Final = "gitlab"
TOKEN: Final = "x-gitlab-token"  # noqa: S105 (a header's name)
SIGNATURE: Final = "webhook-signature"
_FAILURES: Final = {"failed": "failure", "canceled": "cancel"}
_REVIEW_APP: Final = "review/"
_COMMIT: Final = re.compile(r"/commit/([0-9a-f]{40,64})$")
_APPROVALS: Final = ("approved", "approval")
_INCIDENT: Final = "incident"
_STATES: Final = ("open", "close", "reopen", "update")


class GitLab:
    """The translator."""

    name = NAME

    def authenticate(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime
    ) -> Refusal | None:
        """By `webhook-signature` where there is one, else by `X-Gitlab-Token`."""
        if headers.get(SIGNATURE):
            return check_standard(headers, body, secrets, now)
        given = header_bytes(headers.get(TOKEN, ""))
        if not given:
            return Refusal(
                UNAUTHORIZED, "the delivery has neither a signature nor a token: give the webhook its secret"
            )
        fits = matches_any([given], [each for each in secrets if each])
        return None if fits else Refusal(UNAUTHORIZED, "the token is not our secret")

    def translate(self, headers: Mapping[str, str], payload: object, now: datetime) -> list[dict[str, JSON]]:
        """By `object_kind`; whatever we know nothing to make of tells of nothing that matters."""
        document = root(payload)
        translate = _TRANSLATE.get(document.text("object_kind"))
        return translate(document, _Project.of(document)) if translate is not None else []


@dataclass(frozen=True, slots=True)
class _Project:
    """The project that a delivery is about. `source` is that of its events."""

    source: str
    name: str  # host/group/…/project
    branch: str

    @classmethod
    def of(cls, document: Node) -> "_Project":
        project = document.part("project")
        url = project.url("web_url")
        name = repository_name(url)
        if name.count("/") < 2 or len(name) > LONGEST_NAME:
            raise Malformed(project.at("web_url"), "must be the address of a project, https://HOST/GROUP/PROJECT")
        return cls(making.address(url), name, project.text("default_branch"))

    @property
    def short(self) -> str:
        """The last part of its path."""
        return self.name.rpartition("/")[2]


def _deployment(document: Node, project: _Project) -> list[dict[str, JSON]]:
    """It succeeded; a failure is kept as that of a pipeline, for nothing says that anybody was served by it."""
    status, environment = document.text("status"), document.text("environment")
    if status not in ("success", *_FAILURES) or environment.startswith(_REVIEW_APP):
        return []
    number, at, url = (
        document.number("deployment_id"),
        document.when("status_changed_at"),
        document.url("deployable_url"),
    )
    id_ = f"deployment/{number}/{status}/{making.written(at)}"
    if status != "success":
        name = f"{document.needed('environment')} deployment {number}"
        outcome = _FAILURES[status]
        return [making.run_failed(id_=id_, source=project.source, at=at, name=name, url=url, outcome=outcome)]
    found = _COMMIT.search(document.url("commit_url"))
    revision = found[1] if found else document.needed("short_sha")
    ref = document.text("ref")
    own: making.Own = {
        "deployment": number,
        "version": ref if ref[:1] == "v" and ref[1:2].isdigit() else "",
        "repository": project.name,
        "revision": revision,
        "outcome": making.SUCCEEDED,
        "url": url,
    }
    return [
        making.deployment(
            id_=id_, source=project.source, at=at, service=project.short, environment=document.needed("environment"),
            artifact=making.source_artifact(project.name, revision), own=own,
        )
    ]  # fmt: skip


def _merge_request(document: Node, project: _Project) -> list[dict[str, JSON]]:
    """It was merged into the default branch, or approved; its words may be changed after the merge."""
    request = document.part("object_attributes")
    action = request.text("action")
    if request.text("target_branch") != project.branch:
        return []
    if action in _APPROVALS:
        return [_approved(request, project, action)]
    is_merged = action == "merge" or (action == "update" and request.text("state") == "merged")
    return [_merged(document, request, project)] if is_merged else []


def _approved(request: Node, project: _Project, action: str) -> dict[str, JSON]:
    at, number = request.when("updated_at"), request.number("iid")
    own: making.Own = {"approvedAt": at, "url": request.url("url")}
    return making.change(
        "reviewed", id_=f"merge_request/{number}/{action}/{making.written(at)}", source=project.source, at=at,
        number=number, repository=project.name, own=own,
    )  # fmt: skip


def _merged(document: Node, request: Node, project: _Project) -> dict[str, JSON]:
    number, title, changed_at = request.number("iid"), request.text("title", LONGEST_TITLE), request.when("updated_at")
    told = _labels(document, request)
    text = request.prose("description")
    own: making.Own = {
        "revision": _revision(request),
        "openedAt": request.when("created_at"),
        "services": conventions.values(told, "service"),
        "reverts": conventions.reverted(title, text),
        "remedies": conventions.remedied(text),
        "title": title,
        "url": request.url("url"),
        "labels": conventions.labels(told),
        "branch": request.text("source_branch"),
    }
    at = request.perhaps_when("merged_at") or changed_at
    return making.change(
        "merged", id_=f"merge_request/{number}/merged/{making.written(changed_at)}", source=project.source, at=at,
        number=number, repository=project.name, own=own,
    )  # fmt: skip


def _revision(request: Node) -> str:
    """What the branch got: a merge commit, one that was squashed, or (fast-forward) the request's last one."""
    named = (request.text(name) for name in ("merge_commit_sha", "merged_commit_sha", "squash_commit_sha"))
    return next((text for text in named if text), request.part("last_commit").text("id"))


def _push(document: Node, project: _Project) -> list[dict[str, JSON]]:
    """What came to the default branch. Of more than 20 commits only the newest 20 are told."""
    after = document.needed("after")
    if document.text("ref", 1000) != f"refs/heads/{project.branch}" or NOTHING.fullmatch(after):
        return []
    before, commits = document.needed("before"), [_commit(each) for each in document.parts("commits")]
    if not commits:
        return []
    total = document.value.get("total_commits_count")
    is_cut = type(total) is int and total > len(commits)
    head = next((each for each in commits if each.revision == after), commits[-1])
    if NOTHING.fullmatch(before):
        found = [Brought(f"@{after}", head)]
    else:
        found = brought(commits, branch=project.branch, head=after, is_cut=is_cut)
    return [_came(project, each, before, at=head.at) for each in found]


def _came(project: _Project, change: Brought, before: str, *, at: datetime) -> dict[str, JSON]:
    return making.change(
        "merged",
        id_=f"push/{before[:12]}/{change.head.revision}",
        source=project.source,
        at=at,
        number=change.number,
        repository=project.name,
        own=change.own(project.branch),
    )


def _commit(node: Node) -> Commit:
    return Commit(node.needed("id"), node.prose("message"), node.when("timestamp"), node.url("url"))


def _issue(document: Node, project: _Project) -> list[dict[str, JSON]]:
    """An issue of the type Incident is one, from its opening until it is closed."""
    issue = document.part("object_attributes")
    told, action = _labels(document, issue), issue.text("action")
    is_incident = issue.text("type").lower() == _INCIDENT or conventions.is_incident(told)
    if action not in _STATES or not is_incident:
        return []
    own = _own_of_issue(issue, told, project)
    opened_at, changed_at = issue.when("created_at"), issue.when("updated_at")
    closed_at = changed_at if action == "close" else None
    if issue.text("state") == "closed":
        closed_at = issue.perhaps_when("closed_at") or closed_at
    words = conventions.incident_words(action, opened_at, changed_at, closed_at, is_addressed=bool(own["url"]))
    key, moment = f"issue/{issue.number('iid')}", f"{making.written(changed_at)}/{action}"
    service, environment = (conventions.first(told, name) for name in ("service", "environment"))
    return [
        making.incident(
            word, id_=f"{key}/{word}/{making.written(at)}/{moment}", source=project.source, at=at, key=key,
            service=service or project.short, environment=environment, own=own,
        )
        for word, at in words
    ]  # fmt: skip


def _own_of_issue(issue: Node, told: Sequence[str], project: _Project) -> making.Own:
    return {
        "name": f"{project.short}#{issue.number('iid')}",
        "title": issue.text("title", LONGEST_TITLE),
        "priority": conventions.priority_in(told) or conventions.priority(issue.text("severity")),
        "deployment": conventions.cause(issue.prose("description")),
        "url": issue.url("url"),
        "startedAt": issue.when("created_at"),
    }


def _labels(document: Node, part: Node) -> list[str]:
    told = part.parts("labels") or document.parts("labels")
    return [each.text("title") for each in told]


_TRANSLATE: Final[Mapping[str, Callable[[Node, _Project], list[dict[str, JSON]]]]] = {
    "deployment": _deployment,
    "merge_request": _merge_request,
    "push": _push,
    "issue": _issue,
    "work_item": _issue,
}
