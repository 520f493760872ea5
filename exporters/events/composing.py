"""CDEvents written from what somebody says on a command line."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from controlplane.delivery_names import CUSTOM
from controlplane.model.event import JSON
from exporters.events.cdevents.own_fields import own_fields
from exporters.events.cdevents.schemas import PREFIX, published
from exporters.events.entities import repository_name
from exporters.events.translating.making import generic_artifact, source_artifact

RELEASE: Final = "0.5.1"
SOURCE: Final = "/flyball/cli"
ENVIRONMENT: Final = "production"
WORDS: Final = {
    "deployed": "service.deployed",
    "upgraded": "service.upgraded",
    "rolledback": "service.rolledback",
    "removed": "service.removed",
    "opened": "change.created",
    "reviewed": "change.reviewed",
    "merged": "change.merged",
    "packaged": "artifact.packaged",
    "published": "artifact.published",
    "incident-detected": "incident.detected",
    "incident-reported": "incident.reported",
    "incident-resolved": "incident.resolved",
}
_ID_CHARACTERS: Final = 32
_JSON_TYPE: Final = "application/json"


class Unfit(Exception):
    """Something is missing, or says nothing about such a thing. `option` names it: `service`."""

    def __init__(self, option: str, reason: str) -> None:
        super().__init__(reason)
        self.option = option
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Said:
    """What was said; empty texts and lists were not. `own` are our own fields by their names, without `None`."""

    services: Sequence[str] = ()
    environment: str = ""
    artifact: str = ""
    repository: str = ""
    revision: str = ""
    number: str = ""
    incident: str = ""
    changes: Sequence[str] = ()
    own: Mapping[str, JSON] = field(default_factory=dict)


def composed(word: str, said: Said, *, at: str, source: str = SOURCE, id_: str = "") -> dict[str, JSON]:
    """A CloudEvent with a CDEvent in it. `word` is one of `WORDS`, `at` as in RFC 3339. Raises `Unfit`.

    Without an id it is that of what the event says, so that the same words at the same time are the same event.
    """
    kind = WORDS[word]
    about = kind.partition(".")[0]
    subject, content, own = _SUBJECTS[about](kind, said)
    _refuse_unfit(about, own | dict(said.own))
    type_ = published().versions_in(PREFIX + kind, RELEASE)
    about_it: dict[str, JSON] = {"id": subject, "content": content}
    told: dict[str, JSON] = {"subject": about_it}
    mine: dict[str, JSON] = {
        name: value for name, value in (own | dict(said.own)).items() if value not in ("", [], None)
    }
    if mine:
        told |= {"customData": {CUSTOM: mine}, "customDataContentType": _JSON_TYPE}
    id_ = id_ or _derived(type_, source, at, told)
    context: dict[str, JSON] = {
        "specversion": RELEASE, "id": id_, "source": source, "type": type_, "timestamp": at,
    }  # fmt: skip
    return {
        "specversion": "1.0", "id": id_, "source": source, "type": type_, "subject": subject, "time": at,
        "datacontenttype": _JSON_TYPE, "data": {"context": context, **told},
    }  # fmt: skip


_Parts = tuple[str, dict[str, JSON], dict[str, JSON]]  # the subject's id, its content, our own fields


def _service(kind: str, said: Said) -> _Parts:
    if len(said.services) != 1:
        raise Unfit("service", "say which service, once")
    _only(said, "service", "environment", "artifact", "repository", "revision", "changes")
    (service,) = said.services
    content: dict[str, JSON] = {"environment": {"id": said.environment or ENVIRONMENT}}
    if kind != "service.removed":
        content["artifactId"] = _artifact_of(service, said)
    repository = repository_name(said.repository) if said.repository else ""
    return service, content, {"repository": repository, "revision": said.revision, "changes": list(said.changes)}


def _artifact_of(service: str, said: Said) -> str:
    if said.artifact:
        return said.artifact
    if said.repository and said.revision:
        return source_artifact(repository_name(said.repository), said.revision)
    version = said.own.get("version") or said.revision
    if not isinstance(version, str) or not version:
        raise Unfit("version", "say what was put there: --version, --revision with --repository, or --artifact")
    return generic_artifact(service, version)


def _change(kind: str, said: Said) -> _Parts:
    _only(said, "service", "repository", "revision", "number")
    if not said.repository:
        raise Unfit("repository", "say in which repository")
    if not said.number and not said.revision:
        raise Unfit("number", "say which change: --number of its request, or --revision")
    content: dict[str, JSON] = {"repository": {"id": repository_name(said.repository)}}
    return said.number or f"@{said.revision}", content, {"revision": said.revision, "services": list(said.services)}


def _built(kind: str, said: Said) -> _Parts:
    _only(said, "artifact", "repository", "revision", "changes")
    if not said.artifact:
        raise Unfit("artifact", "say which artifact")
    if len(said.changes) > 1:
        raise Unfit("change", "an artifact is built from one change: say the last one")
    repository = repository_name(said.repository) if said.repository else ""
    own: dict[str, JSON] = {"repository": repository, "revision": said.revision}
    if kind == "artifact.published":
        if said.changes:
            raise Unfit("change", "says nothing about such an event; --revision with --repository does")
        return said.artifact, {}, own
    if not said.changes and not said.revision:
        raise Unfit("change", "say what it was built from: --change, or --revision with --repository")
    change: dict[str, JSON] = {"id": said.changes[0] if said.changes else f"@{said.revision}"}
    if repository:
        change["source"] = repository
    return said.artifact, {"change": change}, own


def _incident(kind: str, said: Said) -> _Parts:
    _only(said, "service", "environment", "artifact", "incident")
    if not said.incident:
        raise Unfit("incident", "say which incident: a name or number that is the same when it is resolved")
    if len(said.services) > 1:
        raise Unfit("service", "an incident is one service's")
    content: dict[str, JSON] = {"environment": {"id": said.environment or ENVIRONMENT}}
    if kind == "incident.reported":
        if not said.own.get("url"):
            raise Unfit("link", "say where its ticket is")
        content["ticketURI"] = said.own["url"]
    if said.services:
        content["service"] = {"id": said.services[0]}
    if said.artifact:
        content["artifactId"] = said.artifact
    return said.incident, content, {}


_SUBJECTS: Final = {"service": _service, "change": _change, "artifact": _built, "incident": _incident}
_OPTIONS: Final = {"services": "service", "changes": "change"}
_FIELDS: Final = {"labels": "label", "changes": "change", "services": "service", "url": "link", "counted": "drill"}


def _only(said: Said, *fitting: str) -> None:
    names = ("services", "environment", "artifact", "repository", "revision", "number", "incident", "changes")
    for name in names:
        option = _OPTIONS.get(name, name)
        if getattr(said, name) and option not in fitting and name not in fitting:
            raise Unfit(option, "says nothing about such an event")


def _refuse_unfit(about: str, own: Mapping[str, JSON]) -> None:
    known = own_fields(about)
    for name, value in own.items():
        if name not in known and value not in ("", [], None):
            raise Unfit(_FIELDS.get(name, _dashed(name)), f"says nothing about {_article(about)}")


def _article(about: str) -> str:
    return {"service": "a deployment", "change": "a change", "artifact": "an artifact", "incident": "an incident"}[
        about
    ]


def _dashed(name: str) -> str:
    """`startedAt` as an option: `started-at`."""
    return "".join(f"-{each.lower()}" if each.isupper() else each for each in name)


def _derived(type_: str, source: str, at: str, told: dict[str, JSON]) -> str:
    text = orjson.dumps([type_, source, at, told], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:_ID_CHARACTERS]
