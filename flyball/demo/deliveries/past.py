"""A month of deliveries that fits the platform's history: the same for the same seam.

Every deployment of the catalogue is told of with the changes in it, every incident with its service. Incidents that
begin right after a deployment of their service were caused by it; what mends them says so.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from flyball.demo.deliveries import telling
from flyball.demo.deliveries.telling import CDEvent, Fields
from flyball.demo.platform.shapes import Catalogue, Deployment, Incident

_FIRST_NUMBER: Final = 1180  # of pull requests in that month
_MOST_CHANGES: Final = 5  # in one deployment
_CODING_HOURS, _REVIEW_HOURS, _WAITING_HOURS = 9.0, 5.0, 3.0  # medians
_SPREAD: Final = 0.9  # of their logarithms


def past_events(catalogue: Catalogue, seam: int, start: int, seed: int) -> Iterator[CDEvent]:
    """In no particular order. `seam` and `start` are minutes since the epoch: the end and the start of the history."""
    random = np.random.default_rng(seed)
    number = _FIRST_NUMBER
    for each in sorted(catalogue.deployments, key=lambda one: -one.days_ago):
        at = _at(seam, each.days_ago)
        if at < _moment(start):
            continue
        mends = _mended(each, catalogue)
        changes = 0 if each.rolls_back else 1 if mends else int(random.integers(1, _MOST_CHANGES))
        numbers = range(number, number + changes)
        number += changes
        yield from (_change(random, each, at, one, mends) for one in numbers)
        yield _deployment(each, at, numbers, mends)
    for index, incident in enumerate(catalogue.incidents, 1):
        begun = _at(seam, incident.days_ago)
        if begun >= _moment(start):
            yield from _incident(incident, index, begun, catalogue)


def incident_id(number: int) -> str:
    """As the platform's people call it."""
    return f"IG-{2000 + number}"


def _mended(each: Deployment, catalogue: Catalogue) -> str:
    found = (n for n, incident in enumerate(catalogue.incidents, 1) if incident.days_ago == each.mends)
    return next(map(incident_id, found), "")


def _change(random: np.random.Generator, each: Deployment, at: datetime, number: int, mends: str) -> CDEvent:
    coding, review, waiting = (
        timedelta(hours=float(median * random.lognormal(0, _SPREAD)) / (12 if mends else 1))
        for median in (_CODING_HOURS, _REVIEW_HOURS, _WAITING_HOURS)
    )
    merged = at - waiting
    opened = merged - review
    own: Fields = {
        "revision": f"{number:07x}" + "a" * 33,
        "firstCommitAt": _text(opened - coding),
        "openedAt": _text(opened),
        "services": [each.service],
        "title": f"{each.service}: {'Mend what ' + mends + ' showed' if mends else 'Change ' + str(number)}",
        "url": f"https://{telling.REPOSITORY}/pull/{number}",
    }
    if mends:
        own |= {"hotfix": True, "remedies": mends}
    return telling.merged(number, merged, own)


def _deployment(each: Deployment, at: datetime, numbers: range, mends: str) -> CDEvent:
    own: Fields = {
        "version": each.version,
        "repository": telling.REPOSITORY,
        "startedAt": _text(at - timedelta(minutes=6)),
        "changes": [telling.change_id(number) for number in numbers],
        "url": f"https://{telling.REPOSITORY}/releases/{each.service}-{each.version}",
    }
    if mends:
        own["remedies"] = mends
    if each.rolls_back:
        own["undoes"] = each.rolls_back
    return telling.deployed(each.service, at, own, what="rolledback" if each.rolls_back else "deployed")


def _incident(incident: Incident, number: int, begun: datetime, catalogue: Catalogue) -> Iterator[CDEvent]:
    service = _service(incident, catalogue)
    id_ = incident_id(number)
    own: Fields = {"name": id_, "priority": "P1", "title": f"{service} is not as it should be"}
    yield telling.incident(id_, service, begun, own | {"startedAt": _text(begun)})
    ended = begun + timedelta(minutes=incident.minutes)
    yield telling.incident(id_, service, ended, own, what="resolved")


def _service(incident: Incident, catalogue: Catalogue) -> str:
    """Where it was mended, or else where it was seen first."""
    mended = (each.service for each in catalogue.deployments if each.mends == incident.days_ago)
    seen = (flow.service for flow in catalogue.flows if flow.name == incident.effects[0].flow)
    return next(mended, None) or next(seen)


def _at(seam: int, days_ago: float) -> datetime:
    return _moment(seam) - timedelta(minutes=round(days_ago * 1440))


def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(60 * minute, UTC)


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
