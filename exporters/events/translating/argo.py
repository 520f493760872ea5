"""What notifications of Argo CD and of Argo Rollouts have in common: the body that our documented templates make.

Sources: argo-cd docs/operator-manual/notifications, argo-rollouts docs/features/notifications.md, notifications-engine
(templates are Go's with sprig; a delivery that fails with 5xx is sent again with the same body).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from controlplane.model.event import JSON
from exporters.cloudevents.faults import Malformed
from exporters.events.entities import repository_name
from exporters.events.translating import making
from exporters.events.translating.authenticity import check_token
from exporters.events.translating.images import Image, image_for
from exporters.events.translating.reading import LONGEST_URL, Node
from exporters.events.translators import Refusal

ANNOTATION: Final = "flyball.dev/environment"


def authenticate(headers: Mapping[str, str], secrets: Sequence[bytes]) -> Refusal | None:
    """By a bearer token, or basic authentication: notifications know both."""
    return check_token(headers, secrets, is_basic=True)


def deployed(document: Node, sender: str, key: str, *, at: datetime, outcome: str) -> dict[str, JSON]:
    """The deployment of which a body tells. `key` is the deployment's, within its source."""
    name, namespace = document.needed("name"), document.text("namespace")
    service = document.text("service") or name
    environment = document.text("environment")
    if not environment:
        raise Malformed(document.at("environment"), f"is missing: annotate {name} with {ANNOTATION}")
    image = image_for(service, document.texts("images", LONGEST_URL))
    repository, revision = _origin(document, image)
    version = document.text("version") or (image.version if image else "") or revision[:12]
    own: making.Own = {
        "deployment": key,
        "version": version,
        "repository": repository,
        "revision": revision,
        "outcome": outcome,
        "startedAt": document.perhaps_when("startedAt"),
        "url": document.url("url"),
    }
    return making.deployment(
        id_=f"{key}/{outcome}", source=making.address(f"/{sender}/{namespace}/{name}"), at=at, service=service,
        environment=environment, artifact=_artifact(service, version, repository, revision, image), own=own,
    )  # fmt: skip


def _origin(document: Node, image: Image | None) -> tuple[str, str]:
    """Repository and revision of the source: annotated; a tag that is a revision; else what the manifests come from."""
    repository = repository_name(document.text("repository", LONGEST_URL))
    if repository:
        return repository, document.text("revision") or (image.revision if image else "")
    manifests = document.part("manifests")
    return repository_name(manifests.text("repository", LONGEST_URL)), manifests.text("revision")


def _artifact(service: str, version: str, repository: str, revision: str, image: Image | None) -> str:
    if image is not None:
        return image.artifact
    if repository and revision:
        return making.source_artifact(repository, revision)
    return making.generic_artifact(service, version)
