"""Argo CD's notifications, by the template of docs/how-to/connect-argo-events.md.

An operation that synchronised an application as a whole, and after which it is healthy, is a deployment; its place in
the application's history is its key. A synchronisation of parts, such as self-healing, has no place there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from controlplane.model.event import JSON
from exporters.events.translating import argo, making
from exporters.events.translating.reading import root
from exporters.events.translators import Refusal

NAME: Final = "argocd"
_SUCCEEDED: Final = "Succeeded"


class ArgoCD:
    """The translator."""

    name = NAME

    def authenticate(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime
    ) -> Refusal | None:
        """By the token for events."""
        return argo.authenticate(headers, secrets)

    def translate(self, headers: Mapping[str, str], payload: object, now: datetime) -> list[dict[str, JSON]]:
        """A phase other than Succeeded reached nobody: it tells of nothing that matters."""
        document = root(payload)
        if document.needed("phase") != _SUCCEEDED:
            return []
        key = f"{document.needed('uid', 64)}/{document.number('history')}"
        at = document.when("finishedAt")
        return [argo.deployed(document, NAME, key, at=at, outcome=making.SUCCEEDED)]
