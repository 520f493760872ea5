"""Everyday releases while the demo runs.

Small ones, of services that no fault of the demo touches: so none of them is blamed for what a user breaks.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from flyball.demo.deliveries import telling
from flyball.demo.deliveries.telling import CDEvent, Fields
from flyball.demo.platform.shapes import Catalogue

SERVICES: Final = ("exports", "rtbf", "opa", "workflows")
EVERY: Final = timedelta(minutes=5)
FIRST_AFTER: Final = timedelta(minutes=2)
_FIRST_NUMBER: Final = 1400
_CODING: Final = (timedelta(hours=3), timedelta(hours=26), timedelta(minutes=50))
_REVIEW: Final = (timedelta(minutes=35), timedelta(hours=5))
_WAITING: Final = timedelta(minutes=12)

Send = Callable[[list[CDEvent]], object]


class Routine:
    """Releases one service after the other; `versions` are those that run when the demo begins."""

    def __init__(self, send: Send, versions: Sequence[tuple[str, str]], begun: datetime) -> None:
        self._send = send
        self._versions = dict(versions)
        self._order = tuple(self._versions)
        self._next = begun + FIRST_AFTER
        self._done = 0

    def look(self, now: datetime) -> None:
        """Release what is due. Raises `Transient` when that did not arrive: then the next look tells it."""
        if not self._order or now < self._next:
            return
        service = self._order[self._done % len(self._order)]
        version = _after(self._versions[service])
        self._send(_released(service, version, self._next, self._done))
        self._versions[service], self._next = version, self._next + EVERY
        self._done += 1


def running_versions(catalogue: Catalogue) -> list[tuple[str, str]]:
    """What runs of the services that are released, by the last deployment of each."""
    known = {each.name: each.version for each in catalogue.services}
    for each in sorted(catalogue.deployments, key=lambda one: -one.days_ago):
        known[each.service] = each.version
    return [(name, known[name]) for name in SERVICES if name in known]


def _after(version: str) -> str:
    first, _, last = version.rpartition(".")
    return f"{first}.{int(last) + 1}"


def _released(service: str, version: str, at: datetime, number: int) -> list[CDEvent]:
    merged = at - _WAITING
    opened = merged - _REVIEW[number % len(_REVIEW)]
    change: Fields = {
        "revision": f"{_FIRST_NUMBER + number:07x}" + "c" * 33,
        "firstCommitAt": _text(opened - _CODING[number % len(_CODING)]),
        "openedAt": _text(opened),
        "services": [service],
        "title": f"{service}: Change {_FIRST_NUMBER + number}",
        "url": f"https://{telling.REPOSITORY}/pull/{_FIRST_NUMBER + number}",
    }
    release: Fields = {
        "version": version,
        "repository": telling.REPOSITORY,
        "startedAt": _text(at - timedelta(minutes=3)),
        "changes": [telling.change_id(_FIRST_NUMBER + number)],
        "url": f"https://{telling.REPOSITORY}/releases/{service}-{version}",
    }
    return [telling.merged(_FIRST_NUMBER + number, merged, change), telling.deployed(service, at, release)]


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
