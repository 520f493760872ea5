"""Flagger's event webhooks: a canary that was promoted, and one that failed.

Sources: fluxcd/flagger docs/gitbook/usage/webhooks.md, pkg/controller/{webhook,events,scheduler}.go: an event webhook
is called for every Kubernetes event of a canary, with the phase, the message and the time in milliseconds. It cannot
send headers of ours; a password in its URL is sent as basic authentication.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from controlplane.model.event import JSON
from exporters.cloudevents.faults import Malformed
from exporters.events.entities import repository_name
from exporters.events.translating import making
from exporters.events.translating.authenticity import check_token
from exporters.events.translating.reading import LONGEST_URL, Node, millis, root
from exporters.events.translators import Refusal

NAME: Final = "flagger"
_ENDS: Final = {  # phase: (how the message of its one event begins, outcome)
    "Succeeded": ("Promotion completed!", making.SUCCEEDED),
    "Failed": ("Canary failed!", making.FAILED),
}


class Flagger:
    """The translator."""

    name = NAME

    def authenticate(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime
    ) -> Refusal | None:
        """By the token for events: as the password of basic authentication, or as a bearer token."""
        return check_token(headers, secrets, is_basic=True)

    def translate(self, headers: Mapping[str, str], payload: object, now: datetime) -> list[dict[str, JSON]]:
        """The end of a canary's analysis; everything before it tells of nothing that matters."""
        document = root(payload)
        begins, outcome = _ENDS.get(document.needed("phase"), ("", ""))
        metadata = document.part("metadata")
        if not outcome:
            return []
        if "eventMessage" not in metadata.value:
            raise Malformed(metadata.at("eventMessage"), "is missing: the webhook must be of the type event")
        if not metadata.text("eventMessage", 1000).startswith(begins):
            return []
        return [_deployed(document, metadata, outcome)]


def _deployed(document: Node, metadata: Node, outcome: str) -> dict[str, JSON]:
    name, namespace, checksum = document.needed("name"), document.needed("namespace"), document.needed("checksum")
    environment = metadata.text("environment")
    if not environment:
        raise Malformed(metadata.at("environment"), "is missing: give the webhook metadata with an environment")
    service, version = metadata.text("service") or name, metadata.text("version") or checksum
    repository, revision = repository_name(metadata.text("repository", LONGEST_URL)), metadata.text("revision")
    at = millis(metadata, "timestamp")
    own: making.Own = {
        "version": version,
        "repository": repository,
        "revision": revision,
        "outcome": outcome,
        "url": metadata.url("url"),
    }
    is_traced = bool(repository and revision)
    artifact = making.source_artifact(repository, revision) if is_traced else making.generic_artifact(service, version)
    return making.deployment(
        id_=f"{checksum}/{metadata.number('timestamp')}", source=making.address(f"/{NAME}/{namespace}/{name}"), at=at,
        service=service, environment=environment, artifact=artifact, own=own,
    )  # fmt: skip
