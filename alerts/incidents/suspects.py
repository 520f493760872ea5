"""What changed shortly before an incident, the most suspicious first. Pure.

A change's score is how often its kind breaks things × how near it is in time × how near it is in place. Changes are the
cause of most outages (SRE book, ch. 1: about 70 %), so that the latest change of the same service comes first; the
weights are ours, and rank, no more.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from alerts.incidents.happenings import SAME_DEPLOYMENT, Relation, in_words, relation
from controlplane import conventions, incident_names
from controlplane.model.event import Event
from controlplane.model.incident import Incident, Suspect
from controlplane.wording import duration

LOOKBACK: Final = timedelta(hours=6)
MOST: Final = 5
_HALF_LIFE: Final = timedelta(minutes=30)
_LEAST: Final = Decimal("0.02")
_CENT: Final = Decimal("0.01")

CHANGES: Final[Mapping[str, Decimal]] = {
    conventions.EVENT_DEPLOYED: Decimal(1),
    conventions.EVENT_TIER_CHANGED: Decimal("0.9"),
    conventions.EVENT_FLAG_CHANGED: Decimal("0.8"),
    incident_names.EVENT_RUNBOOK_RAN: Decimal("0.7"),
    conventions.EVENT_STEP_FAILED: Decimal("0.6"),
    conventions.EVENT_FLAG_YIELDED: Decimal("0.6"),
    conventions.EVENT_RULES_APPLIED: Decimal("0.3"),
    conventions.EVENT_EXCLUSION_CHANGED: Decimal("0.2"),
    conventions.EVENT_EXCLUSION_REMOVED: Decimal("0.2"),
}
_PLACES: Final = {Relation.SAME: Decimal(1), Relation.UNKNOWN: Decimal("0.6"), Relation.OTHER: Decimal("0.25")}
_OURS: Final = frozenset({conventions.EVENT_TIER_CHANGED, conventions.EVENT_STEP_FAILED})


def is_change(event: Event) -> bool:
    """Whether somebody or something changed how things run; a dry run changes nothing."""
    is_dry = event.kind == incident_names.EVENT_RUNBOOK_RAN and event.data.get("dry") is True
    return event.kind in CHANGES and not is_dry


def suspect_of(event: Event, incident: Incident) -> Suspect | None:
    """The event as a suspect; None when it is no change, or too long before the first alert, or after it."""
    before = incident.started_at - event.occurred_at
    if not is_change(event) or not timedelta(0) <= before <= LOOKBACK:
        return None
    near = relation(event, incident)
    place = _PLACES[Relation.SAME if event.kind in _OURS and near is Relation.UNKNOWN else near]
    age = Decimal(repr(0.5 ** (before / _HALF_LIFE)))
    score = (CHANGES[event.kind] * place * age).quantize(_CENT)
    if score < _LEAST:
        return None
    reasons = [f"{duration(before)} before the first alert"]
    if near is not Relation.UNKNOWN:
        reasons.append(near.value)
    if event.kind in _OURS or event.data.get("ladder"):
        reasons.append("our own downshift")
    return Suspect(event.occurred_at, event.kind, event.subject, in_words(event), score, tuple(reasons))


def ranked(suspects: Iterable[Suspect]) -> tuple[Suspect, ...]:
    """The most suspicious, each once; among equals the latest."""
    found: list[Suspect] = []
    for each in sorted(suspects, key=_rank):
        if not any(_is_same(each, other) for other in found):
            found.append(each)
    return tuple(found[:MOST])


def _rank(suspect: Suspect) -> tuple[Decimal, timedelta, str]:
    return -suspect.score, _EPOCH - suspect.at, suspect.subject


def _is_same(suspect: Suspect, other: Suspect) -> bool:
    if (suspect.kind, suspect.subject) != (other.kind, other.subject):
        return False
    if suspect.kind == conventions.EVENT_DEPLOYED:
        return abs(suspect.at - other.at) <= SAME_DEPLOYMENT
    return suspect.at == other.at


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
