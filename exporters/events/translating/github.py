"""GitHub's webhooks: deployments, merged pull requests, approvals, pushes to the default branch, incidents.

Source: https://docs.github.com/webhooks (events and payloads; validating deliveries). Signatures cover no time, so that
a delivery can be replayed; it then gives the same (source, id) and changes nothing.
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
from exporters.events.translating.authenticity import check_hex
from exporters.events.translating.pushes import NOTHING, Brought, Commit, brought
from exporters.events.translating.reading import LONGEST_NAME, LONGEST_TITLE, Node, json_node, root
from exporters.events.translators import Refusal

NAME: Final = "github"
SIGNATURE: Final = "x-hub-signature-256"
EVENT: Final = "x-github-event"
_DEPLOY: Final = "deploy"
_ROLLBACKS: Final = ("rollback", "deploy:rollback")
_FAILURES: Final = {"failure": "failure", "error": "error"}
_MERGED: Final = ("closed", "labeled", "unlabeled", "edited")  # labels and titles may be mended after the merge
_ISSUES: Final = ("opened", "reopened", "labeled", "unlabeled", "edited", "closed")
_VERSION: Final = re.compile(r"[A-Za-z._-]{0,50}\d{1,9}(?:\.\d{1,9}){1,5}[\w.+-]{0,50}", re.ASCII)
_MOST_CHANGES: Final = 500
_LONGEST_CHANGE: Final = 100
_NOT_MEANT: Final = ("not_planned", "duplicate")  # an issue that was closed as none
_WEB_FLOW: Final = ("web-flow", "noreply@github.com")


class GitHub:
    """The translator."""

    name = NAME

    def authenticate(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime
    ) -> Refusal | None:
        """By `X-Hub-Signature-256`."""
        return check_hex([headers.get(SIGNATURE, "")], "sha256=", body, secrets)

    def translate(self, headers: Mapping[str, str], payload: object, now: datetime) -> list[dict[str, JSON]]:
        """By the event that a header names; `ping` and all others tell of nothing that matters."""
        kind = headers.get(EVENT, "")
        if not kind:
            raise Malformed(EVENT, "is missing: it says which event it is")
        translate = _TRANSLATE.get(kind)
        document = root(payload)
        return translate(document, _Repository.of(document)) if translate is not None else []


@dataclass(frozen=True, slots=True)
class _Repository:
    """The repository that a delivery is about. `source` is that of its events."""

    source: str
    name: str  # host/owner/name
    short: str
    branch: str

    @classmethod
    def of(cls, document: Node) -> "_Repository":
        repository = document.part("repository")
        url = repository.url("html_url")
        name = repository_name(url)
        if name.count("/") != 2 or len(name) > LONGEST_NAME:
            raise Malformed(repository.at("html_url"), "must be the address of a repository, https://HOST/OWNER/NAME")
        return cls(making.address(url), name, repository.needed("name"), repository.text("default_branch"))


def _deployment_status(document: Node, repository: _Repository) -> list[dict[str, JSON]]:
    """One deployment, whatever number of statuses it has: success makes it, a failure before it was up does not."""
    status, made = document.part("deployment_status"), document.part("deployment")
    state, task = status.text("state"), made.text("task") or _DEPLOY
    if state not in ("success", *_FAILURES) or made.flag("transient_environment"):
        return []
    if task != _DEPLOY and task not in _ROLLBACKS:
        return []
    said = _said(made)
    id_, at = f"deployment_status/{status.number('id')}", status.when("created_at")
    url = status.url("log_url") or status.url("target_url") or status.url("environment_url")
    if state != "success" and not said.flag("progressive"):
        name = f"{made.needed('environment')} deployment {made.number('id')}"
        outcome = _FAILURES[state]
        return [making.run_failed(id_=id_, source=repository.source, at=at, name=name, url=url, outcome=outcome)]
    return [_deployed(document, repository, id_, at=at, url=url, is_rollback=task in _ROLLBACKS)]


def _deployed(
    document: Node, repository: _Repository, id_: str, *, at: datetime, url: str, is_rollback: bool
) -> dict[str, JSON]:
    status, made = document.part("deployment_status"), document.part("deployment")
    said = _said(made)
    revision = made.needed("sha")
    run = document.part("workflow_run")
    own: making.Own = {
        "deployment": made.number("id"),
        "version": said.text("version") or _tag(made.text("ref"), revision),
        "repository": repository.name,
        "revision": revision,
        "changes": _changes(said),
        "outcome": making.SUCCEEDED if status.text("state") == "success" else making.FAILED,
        "startedAt": made.perhaps_when("created_at"),
        "undoes": said.text("undoes"),
        "remedies": said.text("remedies"),
        "unplanned": said.flag("unplanned") or None,
        "run": said.text("run") or (f"{repository.name}/actions/runs/{run.number('id')}" if run else ""),
        "url": url,
    }
    return making.deployment(
        id_=id_, source=repository.source, at=at, is_rollback=is_rollback or bool(own["undoes"]), own=own,
        service=said.text("service") or repository.short,
        environment=(status if status.value.get("environment") else made).needed("environment"),
        artifact=said.text("artifact", 1000) or making.source_artifact(repository.name, revision),
    )  # fmt: skip


def _said(made: Node) -> Node:
    """What whoever deployed says in the deployment's `payload`, an object or JSON as text, under `flyball`."""
    payload = made.value.get("payload")
    told = json_node(payload, made.at("payload")) if type(payload) is str else made.part("payload")
    return told.part("flyball")


def _changes(said: Node) -> list[str]:
    """Changes that a deployment brings, as whoever deployed names them: `12`, `acme/shop#12`, a revision."""
    found = said.texts("changes", LONGEST_NAME)
    if len(found) > _MOST_CHANGES or any(len(each) > _LONGEST_CHANGE for each in found):
        reason = f"may name {_MOST_CHANGES} changes of {_LONGEST_CHANGE} characters"
        raise Malformed(said.at("changes"), reason)
    return found


def _pull_request(document: Node, repository: _Repository) -> list[dict[str, JSON]]:
    """It was merged into the default branch, or its words were changed after that."""
    request = document.part("pull_request")
    if document.text("action") not in _MERGED or not request.flag("merged") or not _is_onto(request, repository):
        return []
    number, title = request.number("number"), request.text("title", LONGEST_TITLE)
    told = [each.text("name") for each in request.parts("labels")]
    text = request.prose("body")
    own: making.Own = {
        "revision": request.text("merge_commit_sha"),
        "openedAt": request.when("created_at"),
        "services": conventions.values(told, "service"),
        "reverts": conventions.reverted(title, text),
        "remedies": conventions.remedied(text),
        "title": title,
        "url": request.url("html_url"),
        "labels": conventions.labels(told),
        "branch": request.part("head").text("ref"),
    }
    merged_at = request.when("merged_at")
    changed_at = making.written(request.perhaps_when("updated_at") or merged_at)
    label = document.part("label").text("name")
    id_ = f"pull_request/{number}/merged/{changed_at}{f'/{label}' if label else ''}"
    return [_change("merged", repository, id_, number, at=merged_at, own=own)]


def _review(document: Node, repository: _Repository) -> list[dict[str, JSON]]:
    """It was approved."""
    review, request = document.part("review"), document.part("pull_request")
    if document.text("action") != "submitted" or review.text("state").lower() != "approved":
        return []
    if not _is_onto(request, repository):
        return []
    at, number = review.when("submitted_at"), request.number("number")
    id_ = f"pull_request_review/{review.number('id')}"
    return [_change("reviewed", repository, id_, number, at=at, own={"approvedAt": at, "url": review.url("html_url")})]


def _push(document: Node, repository: _Repository) -> list[dict[str, JSON]]:
    """What came to the default branch."""
    if document.text("ref", 1000) != f"refs/heads/{repository.branch}" or document.flag("deleted"):
        return []
    before, after = document.needed("before"), document.needed("after")
    commits = [_commit(each) for each in document.parts("commits")]
    head = document.part("head_commit")
    at = document.part("repository").perhaps_when("pushed_at") or head.when("timestamp")
    if document.flag("forced") or document.flag("created") or NOTHING.fullmatch(before):
        found = [Brought(f"@{after}", _commit(head))] if head else []
    else:
        found = brought(commits, branch=repository.branch, head=after, is_cut=False)
    return [_came(repository, each, before, at=at) for each in found]


def _came(repository: _Repository, change: Brought, before: str, *, at: datetime) -> dict[str, JSON]:
    own = change.own(repository.branch)
    id_ = f"push/{before[:12]}/{change.head.revision}"
    return _change("merged", repository, id_, change.number, at=at, own=own)


def _commit(node: Node) -> Commit:
    committer = node.part("committer")
    by = (committer.text("username"), committer.text("email"))
    message, url = node.prose("message"), node.url("url")
    is_by_host = any(each in _WEB_FLOW for each in by)
    return Commit(node.needed("id"), message, node.when("timestamp"), url, is_by_host)


def _issue(document: Node, repository: _Repository) -> list[dict[str, JSON]]:
    """An issue with the label `incident` is one, from its opening until it is closed."""
    issue, action, label = document.part("issue"), document.text("action"), document.part("label").text("name")
    told = [each.text("name") for each in issue.parts("labels")]
    was_incident = action == "unlabeled" and conventions.is_incident([label])
    if action not in _ISSUES or not (conventions.is_incident(told) or was_incident):
        return []
    own = _own_of_issue(issue, told, repository)
    opened_at, closed_at = issue.when("created_at"), issue.perhaps_when("closed_at")
    changed_at = issue.perhaps_when("updated_at") or opened_at
    closed_at = closed_at if issue.text("state") == "closed" else None
    words = conventions.incident_words(
        action.removesuffix("ed"), opened_at, changed_at, closed_at, is_addressed=bool(own["url"])
    )
    key, moment = f"issue/{issue.number('number')}", f"{making.written(changed_at)}/{action}/{label}"
    service, environment = (conventions.first(told, name) for name in ("service", "environment"))
    return [
        making.incident(
            word, id_=f"{key}/{word}/{making.written(at)}/{moment}", source=repository.source, at=at, key=key,
            service=service or repository.short, environment=environment, own=own,
        )
        for word, at in words
    ]  # fmt: skip


def _own_of_issue(issue: Node, told: Sequence[str], repository: _Repository) -> making.Own:
    return {
        "name": f"{repository.short}#{issue.number('number')}",
        "title": issue.text("title", LONGEST_TITLE),
        "priority": conventions.priority_in(told),
        "deployment": conventions.cause(issue.prose("body")),
        "url": issue.url("html_url"),
        "counted": conventions.is_incident(told) and issue.text("state_reason") not in _NOT_MEANT,
        "startedAt": issue.when("created_at"),
    }


def _change(
    kind: str,
    repository: _Repository,
    id_: str,
    number: str,
    *,
    at: datetime,
    own: making.Own,
) -> dict[str, JSON]:
    return making.change(
        kind, id_=id_, source=repository.source, at=at, number=number, repository=repository.name, own=own
    )


def _is_onto(request: Node, repository: _Repository) -> bool:
    """Whether it goes to the default branch: what goes elsewhere gets there by another request."""
    return request.part("base").text("ref") == repository.branch


def _tag(ref: str, revision: str) -> str:
    """A ref that people know a version by: no branch, no revision."""
    bare = ref.removeprefix("refs/tags/")
    return bare if bare != revision and (bare != ref or _VERSION.fullmatch(bare)) else ""


_TRANSLATE: Final[Mapping[str, Callable[[Node, _Repository], list[dict[str, JSON]]]]] = {
    "deployment_status": _deployment_status,
    "pull_request": _pull_request,
    "pull_request_review": _review,
    "push": _push,
    "issues": _issue,
}
