"""Breaking and healing a running demo, from another terminal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

import httpx

from controlplane.ports import Permanent, Transient
from flyball.demo.folder import RunningDemo

_TIMEOUT_SECONDS: Final = 10
_LADDERS_SECONDS: Final = 3  # they are told beside what was asked for


@dataclass(frozen=True, slots=True)
class FaultState:
    """A fault that the platform knows; `since` is None while all is well."""

    name: str
    title: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class LadderTier:
    """Where a downshift ladder stands: its tier, 0 at full service, and since when; None when it never moved."""

    ladder: str
    tier: int
    tier_name: str
    since: datetime | None

    @property
    def words(self) -> str:
        """Such as `tier 2 (throttle) since 12:34:56 UTC`."""
        if not self.tier:
            return "full service"
        since = f" since {self.since:%H:%M:%S} UTC" if self.since else ""
        return f"tier {self.tier} ({self.tier_name}){since}" if self.tier_name else f"tier {self.tier}{since}"


def ladders(demo: RunningDemo) -> list[LadderTier]:
    """Where each ladder stands; nothing while Flyball cannot say."""
    try:
        response = httpx.get(f"{demo.console_url}/api/v1/ladders", timeout=_LADDERS_SECONDS)
        found = response.json()["ladders"] if response.is_success else []
    except (httpx.HTTPError, ValueError, KeyError):
        return []
    return [
        LadderTier(
            one["ladder"],
            one["tier"],
            one["tier_name"] or "",
            datetime.fromisoformat(one["since"]) if one["since"] else None,
        )
        for one in found
    ]


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
