"""What became of exclusions from one generation of rules to the next, as events for the audit log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane import conventions
from controlplane.model.event import JSON, Event
from controlplane.model.exclusion import Exclusion
from controlplane.model.generation import TextFile
from controlplane.model.slo import SLO
from slo.exclusions.declared import selected_by
from slo.manifest import FILE_NAME, read_manifest, slo_of

_LISTED: Final = 50  # intervals and SLOs that an entry names; it counts all of them


@dataclass(frozen=True, slots=True)
class InForce:
    """An exclusion and the names of the SLOs that it is taken from."""

    exclusion: Exclusion
    slos: tuple[str, ...]


def in_force(slos: Sequence[SLO]) -> dict[str, InForce]:
    """The exclusions of SLOs by name."""
    return {exclusion.name: InForce(exclusion, of) for exclusion, of in selected_by(slos)}


def in_generation(files: Sequence[TextFile]) -> dict[str, InForce]:
    """The exclusions of a generation that was applied; none when it did not keep what it was made from."""
    text = next((file.text for file in files if file.name == FILE_NAME), "")
    manifest = read_manifest(text) if text else None
    if manifest is None:
        return {}
    try:
        return in_force([slo_of(line) for line in manifest.lines if '"exclusions":' in line])
    except ValueError:  # written by a version that knows more
        return {}


def changes(before: dict[str, InForce], after: dict[str, InForce], *, step: str, now: datetime) -> Iterator[Event]:
    """An event for each exclusion that was added, changed or removed. `step` tells this change from any other."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        kind = conventions.EVENT_EXCLUSION_CHANGED
        if old is None:
            kind = conventions.EVENT_EXCLUSION_ADDED
        elif new is None:
            kind = conventions.EVENT_EXCLUSION_REMOVED
        told = new or old
        assert told is not None
        data = _data(told)
        if old is not None and new is not None:
            data["before"] = _data(old)
        yield Event(f"{kind}/{name}/{step}", kind, name, now, data)


def expiries(after: dict[str, InForce], now: datetime) -> Iterator[Event]:
    """An event for each exclusion that has expired, with the same id however often it is asked for."""
    kind = conventions.EVENT_EXCLUSION_EXPIRED
    for name, told in after.items():
        if told.exclusion.expires <= now:
            yield Event(f"{kind}/{name}/{told.exclusion.expires.isoformat()}", kind, name, now, _data(told))


def _data(told: InForce) -> dict[str, JSON]:
    exclusion = told.exclusion
    intervals: list[JSON] = [f"{_shown(start)}/{_shown(end)}" for start, end in exclusion.intervals[:_LISTED]]
    slos: list[JSON] = [*told.slos[:_LISTED]]
    return {
        "owner": exclusion.owner,
        "reason": exclusion.reason,
        "expires": _shown(exclusion.expires),
        "recurrence": exclusion.recurrence,
        "intervals": intervals,
        "interval_count": len(exclusion.intervals),
        "slos": slos,
        "slo_count": len(told.slos),
    }


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
