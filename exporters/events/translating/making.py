"""CDEvents 0.5.1 inside CloudEvents, made of what a webhook said. Our own fields stand in `customData.flyball`.

Sources: cdevents/spec v0.5.1 (schemas, cloudevents-binding.md); package-url/purl-spec (types `github`, `generic`).
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias
from urllib.parse import quote

from controlplane.delivery_names import CUSTOM
from controlplane.model.event import JSON
from exporters.cloudevents.faults import Malformed

SPECIFICATION: Final = "0.5.1"
PRODUCTION: Final = "production"  # the environment of incidents that name none
DETECTED: Final = "detected"
RESOLVED: Final = "resolved"
REPORTED: Final = "reported"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
_JSON_TYPE: Final = "application/json"
_VERSIONS: Final = {  # of the schemas that belong to 0.5.1
    "change.merged": "0.3.0",
    "change.reviewed": "0.3.0",
    "incident.detected": "0.3.0",
    "incident.reported": "0.3.0",
    "incident.resolved": "0.3.0",
    "pipelinerun.finished": "0.3.0",
    "service.deployed": "0.3.0",
    "service.rolledback": "0.3.0",
}
_STRAY: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MOST_ID: Final = 256  # as the intake takes them
_MOST_SOURCE: Final = 512
_MOST_PURL: Final = 1000
Own: TypeAlias = Mapping[str, JSON | datetime | Sequence[str]]


def event(
    kind: str, *, id_: str, source: str, subject: str, at: datetime, content: dict[str, JSON], own: Own
) -> dict[str, JSON]:
    """One CloudEvent in the JSON format. `kind` is a subject and a predicate; `own` loses what is empty."""
    id_, source = _bounded_id(id_), _bounded_source(source)
    type_, time = f"dev.cdevents.{kind}.{_VERSIONS[kind]}", written(at)
    said: dict[str, JSON] = {name: _json(value) for name, value in own.items() if value not in (None, "", [], ())}
    context: dict[str, JSON] = {
        "specversion": SPECIFICATION, "id": id_, "source": source, "type": type_, "timestamp": time,
    }  # fmt: skip
    data: dict[str, JSON] = {"context": context, "subject": {"id": subject, "content": content}}
    if said:
        data |= {"customData": {CUSTOM: said}, "customDataContentType": _JSON_TYPE}
    return {
        "specversion": "1.0", "id": id_, "source": source, "type": type_, "subject": subject, "time": time,
        "datacontenttype": _JSON_TYPE, "data": data,
    }  # fmt: skip


def deployment(
    *,
    id_: str,
    source: str,
    at: datetime,
    service: str,
    environment: str,
    artifact: str,
    own: Own,
    is_rollback: bool = False,
) -> dict[str, JSON]:
    """A service was put into an environment, or something older was put back."""
    content: dict[str, JSON] = {"environment": {"id": environment}, "artifactId": artifact}
    kind = "service.rolledback" if is_rollback else "service.deployed"
    return event(kind, id_=id_, source=source, subject=service, at=at, content=content, own=own)


def change(
    kind: str, *, id_: str, source: str, at: datetime, number: str, repository: str, own: Own
) -> dict[str, JSON]:
    """A change was merged or reviewed. `number` is that of its request, or `@` and its revision."""
    content: dict[str, JSON] = {"repository": {"id": repository}}
    return event(f"change.{kind}", id_=id_, source=source, subject=number, at=at, content=content, own=own)


def incident(
    word: str, *, id_: str, source: str, at: datetime, key: str, service: str, environment: str, own: Own
) -> dict[str, JSON]:
    """An incident was `detected` (again), `resolved`, or `reported`: news of it, which neither begin nor end it.

    News need an address (`url` of `own`), by which CDEvents has them filed.
    """
    content: dict[str, JSON] = {"environment": {"id": environment or PRODUCTION}}
    if service:
        content["service"] = {"id": service}
    if word == REPORTED:
        content["ticketURI"] = address(str(own["url"]))
    return event(f"incident.{word}", id_=id_, source=source, subject=key, at=at, content=content, own=own)


def run_failed(*, id_: str, source: str, at: datetime, name: str, url: str, outcome: str) -> dict[str, JSON]:
    """A pipeline failed before anybody was served by it: kept to be looked at, no deployment is made of it."""
    content: dict[str, JSON] = {"pipelineName": name, "outcome": outcome}
    if url:
        content["uri"] = url
    return event("pipelinerun.finished", id_=id_, source=source, subject=id_, at=at, content=content, own={})


def source_artifact(repository: str, revision: str) -> str:
    """A package URL of a revision of the source: `pkg:github/acme/shop@REVISION`, else `pkg:generic/…`."""
    host, _, path = repository.partition("/")
    if host == "github.com" and path.count("/") == 1:
        return _purl("github", path.lower(), revision)
    if host == "gitlab.com" and "/" in path:
        return _purl("gitlab", path, revision)
    return _purl("generic", path or host, revision)


def generic_artifact(service: str, version: str) -> str:
    """A package URL of a version of a service, where nothing else is known of it."""
    return _purl("generic", service.replace("/", "-"), version or "unknown")


def address(text: str) -> str:
    """A web address as a source: an ASCII URI reference without a closing slash."""
    escaped = quote(text.rstrip("/"), safe="%:/?@!$&'()*+,;=~")
    return _STRAY.sub("%25", escaped)


def written(at: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond where it has one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _bounded_id(text: str) -> str:
    """Cut where it is too long, with a digest of the whole, so that two never become one."""
    if len(text) <= _MOST_ID:
        return text
    return f"{text[:180]}…{hashlib.sha256(text.encode()).hexdigest()}"


def _bounded_source(text: str) -> str:
    if len(text) > _MOST_SOURCE:
        raise Malformed("", f"the source that follows from it has {len(text):,} characters, more than {_MOST_SOURCE}")
    return text


def _json(value: JSON | datetime | Sequence[str]) -> JSON:
    if isinstance(value, datetime):
        return written(value)
    if isinstance(value, (str, int, dict)) or value is None:
        return value
    return list(value)


def _purl(type_: str, path: str, version: str) -> str:
    """Where it is longer than an artifact's id may be, a digest stands for it."""
    name = "/".join(quote(segment, safe="") for segment in path.split("/") if segment)
    text = f"pkg:{type_}/{name}@{quote(version, safe='')}"
    return text if len(text) <= _MOST_PURL else f"pkg:generic/{hashlib.sha256(text.encode()).hexdigest()}"
