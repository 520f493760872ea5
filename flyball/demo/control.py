"""Breaking and healing a running demo, from another terminal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

import httpx

from controlplane.ports import Permanent, Transient
from flyball.demo.folder import RunningDemo

_TIMEOUT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class FaultState:
    """A fault that the platform knows; `since` is None while all is well."""

    name: str
    title: str
    since: datetime | None


def faults(demo: RunningDemo) -> list[FaultState]:
    """Every fault and its state. Raises `Transient` when the platform does not answer."""
    answer = _ask(demo, "GET", "/faults").json()
    return [
        FaultState(one["name"], one["title"], datetime.fromisoformat(one["since"]) if one["since"] else None)
        for one in answer
    ]


def switch(demo: RunningDemo, name: str, *, broken: bool) -> bool:
    """Break or heal; False when it was so already. Raises `Permanent` for an unknown name, or `Transient`."""
    return bool(_ask(demo, "PUT" if broken else "DELETE", f"/faults/{quote(name, safe='')}").json()["changed"])


def _ask(demo: RunningDemo, method: str, path: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {demo.control_token}"}
    try:
        response = httpx.request(method, demo.platform_url + path, headers=headers, timeout=_TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise Transient(f"the demo's platform at {demo.platform_url} does not answer: {error}") from error
    if response.is_success:
        return response
    raise Permanent(response.json()["error"])
