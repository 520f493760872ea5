"""Sends what tenants used to the running Flyball, as any platform would: CloudEvents in batches over HTTP."""

from collections.abc import Iterable
from typing import Final

import httpx

from controlplane.ports import Transient

_BATCH: Final = "application/cloudevents-batch+json"
_TIMEOUT_SECONDS: Final = 60


def send_usage(console_url: str, token: str, bodies: Iterable[bytes]) -> int:
    """Post every batch and return how many events were accepted; raises `Transient` with the reason of a refusal."""
    headers = {"Content-Type": _BATCH, "Authorization": f"Bearer {token}"}
    accepted = 0
    with httpx.Client(base_url=console_url, headers=headers, timeout=_TIMEOUT_SECONDS) as client:
        for body in bodies:
            try:
                response = client.post("/usage/events", content=body)
            except httpx.HTTPError as error:
                raise Transient(f"Flyball takes no usage: {error}") from error
            if not response.is_success:
                raise Transient(f"Flyball takes no usage: {response.status_code} {response.text[:300]}")
            accepted += int(response.json().get("accepted", 0))
    return accepted
