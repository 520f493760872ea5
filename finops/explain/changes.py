"""What was changed on purpose in a time: told by the event log, and seen in `build_info`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from controlplane import conventions as names
from controlplane.model.event import Event
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend, Store
from finops.explain.model import Change

KINDS: Final = (
    names.EVENT_DEPLOYED,
    names.EVENT_FLAG_CHANGED,
    names.EVENT_TIER_CHANGED,
    names.EVENT_RULES_APPLIED,
    names.EVENT_COST_RESTATED,
)
MOST: Final = 200
_TOLD: Final = ("version", "from", "to", "flag", "tier", "reason", "period")
_LONGEST: Final = 120
_FEWEST_STEPS: Final = 2000
_SHORTEST: Final = timedelta(minutes=5)


def fetch_changes(store: Store, start: datetime, end: datetime) -> tuple[Change, ...]:
    """What the event log knows of that time, at most the latest 200. Raises what the store raises."""
    with store.transaction(read_only=True) as transaction:
        found = [each.event for each in transaction.events.between(start, end, KINDS)]
    return tuple(change_of(event) for event in found[-MOST:])


def change_of(event: Event) -> Change:
    """An event in words: what of its data a reader knows how to read, bounded."""
    known = {key: event.data[key] for key in _TOLD if event.data.get(key) not in (None, "")}
    if known.get("to") == known.get("tier"):
        known.pop("tier", None)  # said already
    told = (f"{key} {_in_words(value)}" for key, value in known.items())
    return Change(event.occurred_at, event.kind, _bounded(event.subject), _bounded(", ".join(told)))


def _in_words(value: object) -> str:
    """Truth as flag stores and YAML write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def fetch_versions(backend: MetricsBackend, start: datetime, end: datetime) -> tuple[Change, ...]:
    """Versions of services that came up in that time, as their `build_info` shows. Raises what the backend raises."""
    step = max((end - start) / _FEWEST_STEPS, _SHORTEST)
    by = f"{names.SERVICE}, version"
    return tuple(
        new_versions(backend.query_range(f"count by ({by}) ({names.BUILD_INFO})", start, end, step), start + step)
    )[-MOST:]


def new_versions(series: Iterable[Series], after: datetime) -> Iterator[Change]:
    """First sightings later than `after` of versions of services that were there before with another one."""
    seen: dict[str, list[tuple[datetime, str]]] = {}
    for each in series:
        if each.points and each.labels.get("version"):
            service = each.labels.get(names.SERVICE, "")
            seen.setdefault(service, []).append((each.points[0][0], each.labels["version"]))
    found = []
    for service, versions in seen.items():
        versions.sort()
        for (_, old), (at, new) in pairwise(versions):
            if at > after:
                found.append(
                    Change(at, names.EVENT_DEPLOYED, _bounded(service), f"version {_bounded(old)} → {_bounded(new)}")
                )
    yield from sorted(found, key=lambda change: (change.at, change.subject))


def joined(*changes: Sequence[Change]) -> tuple[Change, ...]:
    """All of them in order; a deployment that both the log and `build_info` tell of within an hour stands once."""
    found: list[Change] = []
    for change in sorted(
        (each for part in changes for each in part), key=lambda each: (each.at, each.kind, each.subject)
    ):
        if not any(_is_same(change, other) for other in found):
            found.append(change)
    return tuple(found)


def _is_same(change: Change, other: Change) -> bool:
    return (
        change.kind == other.kind == names.EVENT_DEPLOYED
        and change.subject == other.subject
        and abs(change.at - other.at) <= timedelta(hours=1)
    )


def _bounded(text: str) -> str:
    printable = "".join(character for character in text if character.isprintable())
    return printable if len(printable) <= _LONGEST else printable[: _LONGEST - 1] + "…"
