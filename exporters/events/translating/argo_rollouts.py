"""Argo Rollouts' notifications, by the template of docs/how-to/connect-argo-events.md.

A completed roll-out is a deployment that succeeded, an aborted one a deployment that failed: part of the users had it
already. Both are keyed by the rollout's revision; one that was aborted and then tried again is two deployments.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from controlplane.model.event import JSON
from exporters.cloudevents.faults import Malformed, quoted
from exporters.events.translating import argo, making
from exporters.events.translating.reading import root
from exporters.events.translators import Refusal

NAME: Final = "argo-rollouts"
_OUTCOMES: Final = {"completed": making.SUCCEEDED, "aborted": making.FAILED}


class ArgoRollouts:
    """The translator."""

    name = NAME

    def authenticate(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime
    ) -> Refusal | None:
        """By the token for events."""
        return argo.authenticate(headers, secrets)

    def translate(self, headers: Mapping[str, str], payload: object, now: datetime) -> list[dict[str, JSON]]:
        """One deployment."""
        document = root(payload)
        event = document.needed("event")
        outcome = _OUTCOMES.get(event)
        if outcome is None:
            raise Malformed("event", f"must be completed or aborted, not {quoted(event)}")
        key = f"{document.needed('uid', 64)}/{document.needed('rolloutRevision', 20)}"
        key += "/aborted" if outcome == making.FAILED else ""
        return [argo.deployed(document, NAME, key, at=document.when("at"), outcome=outcome)]
