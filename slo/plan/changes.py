"""What is different about an SLO, in the words of somebody who is woken up by it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import wording
from controlplane.burn_rate import duration, number, threshold, tiers_within
from controlplane.model.alerting import AlertMethod, Tier, Urgency
from controlplane.model.event import JSON
from controlplane.model.exclusion import Exclusion
from controlplane.model.slo import SLO, Absent, CalendarWindow, DataPolicy, LegacyNames, NoTraffic, Window
from slo.manifest.codec import to_json

_UNCHANGED: Final = ("name", "source")  # a name is what tells SLOs apart; a place in a file changes no rule
_TOLD_APART: Final = ("objective", "window", "alerting", "indicator")
_NAMES: Final = {
    "display_name": "display name",
    "runbook_url": "runbook",
    "worst_by": "labels for the worst contributor",
    "labels": "alert labels",
    "groups": "budget per",
    "renamed_from": "earlier names",
}
_KINDS: Final = {
    "RatioIndicator": "ratio",
    "LatencyIndicator": "latency",
    "NativeLatencyIndicator": "native histogram latency",
    "RawRatioIndicator": "raw ratio",
    "BoolIndicator": "0/1 gauge",
    "ThresholdIndicator": "threshold on a gauge",
    "TimeslicesIndicator": "time slices",
    "CompositeIndicator": "composite",
}
_ACTS: Final = {Urgency.PAGE: "a page", Urgency.TICKET: "a ticket"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changes. `words` say it whole; `before` and `after` are the values, empty where there was none.

    `field` is stable, for programs: `objective`, `window`, `alerting`, `indicator`, or a field of the SLO.
    """

    field: str
    before: str
    after: str
    words: str


def changes(before: SLO, after: SLO) -> tuple[Change, ...]:
    """Everything that differs; what matters most comes first."""
    return (
        *_objective(before, after),
        *_window(before, after),
        *_alerts(before, after),
        *_indicator(before, after),
        *_others(before, after),
    )


def alerts_in_words(slo: SLO) -> tuple[str, ...]:
    """What alerts of an SLO need: `a page needs 1.44 % errors over 1 h`."""
    return tuple(f"{_ACTS[tier.urgency]} needs {_needs(slo, tier)}" for tier in _tiers(slo))


def window_in_words(window: Window) -> str:
    """`30 d`, or `1 month from 2026-01-01 (Europe/Berlin)`."""
    if isinstance(window, CalendarWindow):
        unit = window.unit.value + ("s" if window.count > 1 else "")
        return f"{window.count} {unit} from {window.start} ({window.time_zone})"
    return wording.duration(window.length)


def _objective(before: SLO, after: SLO) -> Iterator[Change]:
    if before.objective != after.objective:
        old, new = (wording.exact_percent(each.objective) for each in (before, after))
        yield Change("objective", old, new, f"objective {old} → {new}")


def _window(before: SLO, after: SLO) -> Iterator[Change]:
    if before.window != after.window:
        old, new = window_in_words(before.window), window_in_words(after.window)
        yield Change("window", old, new, f"window {old} → {new}")


def _alerts(before: SLO, after: SLO) -> Iterator[Change]:
    """Tiers are told apart by urgency and long window, which is how people know them."""
    old, new = ({(tier.urgency, tier.long): tier for tier in _tiers(slo)} for slo in (before, after))
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[0].value, key[1])):
        act = _ACTS[key[0]]
        was, now = old.get(key), new.get(key)
        if was is None and now is not None:
            needs = _needs(after, now)
            yield Change("alerting", "", needs, f"{act} comes at {needs}: new")
        elif now is None and was is not None:
            needs = _needs(before, was)
            yield Change("alerting", needs, "", f"no {act.removeprefix('a ')} any more at {needs}")
        elif was is not None and now is not None:
            yield from _tier(before, was, after, now)
    yield from _alerting_besides_tiers(before, after)


def _tier(before: SLO, was: Tier, after: SLO, now: Tier) -> Iterator[Change]:
    act = _ACTS[now.urgency]
    old, new = _errors_needed(before, was), _errors_needed(after, now)
    if old != new:
        needs, needed = _needs(after, now), _share(old) if old < 1 else "more than there can be"
        yield Change("alerting", _needs(before, was), needs, f"{act} now needs {needs}, was {needed}")
    for name, of in (("short window", was.short), ("hold", was.hold)):
        changed = now.short if name == "short window" else now.hold
        if of != changed:
            at = f"{act} over {wording.duration(now.long)}"
            old_length, new_length = wording.duration(of), wording.duration(changed)
            yield Change("alerting", old_length, new_length, f"{at}: {name} {old_length} → {new_length}")
    if was.spent_within != now.spent_within:
        looked, looks = (", ".join(map(wording.duration, tier.spent_within)) for tier in (was, now))
        at = f"{act} over {wording.duration(now.long)}"
        yield Change("alerting", looked, looks, f"{at}: looks at what was spent within {looks}, was {looked}")
    if was.budget_share != now.budget_share and after.alerting.method is AlertMethod.BUDGET:
        spent, spends = (wording.exact_percent(tier.budget_share) for tier in (was, now))
        at = f"{act} over {wording.duration(now.long)}"
        yield Change("alerting", spent, spends, f"{at}: waits until {spends} of the budget is spent, was {spent}")


def _alerting_besides_tiers(before: SLO, after: SLO) -> Iterator[Change]:
    was, now = before.alerting, after.alerting
    if was.method is not now.method:
        words = {
            AlertMethod.BUDGET: "alerts look at the budget spent, no longer at burn rates alone",
            AlertMethod.BURN_RATE: "alerts look at burn rates alone, no longer at the budget spent",
        }
        yield Change("alerting", was.method.value, now.method.value, words[now.method])
    if was.fewest_bad_events != now.fewest_bad_events:
        old, new = number(was.fewest_bad_events), number(now.fewest_bad_events)
        yield Change("alerting", old, new, f"nobody is told of fewer than {new} bad events, was {old}")
    for urgency in Urgency:
        for name, *values in _differences(to_json(was.text(urgency)), to_json(now.text(urgency)), ""):
            old, new = map(_shown, values)
            yield Change("alerting", old, new, f"{urgency.value} alerts: {name} {old} → {new}")


def _indicator(before: SLO, after: SLO) -> Iterator[Change]:
    if before.indicator == after.indicator:
        return
    old, new = type(before.indicator).__name__, type(after.indicator).__name__
    if old != new:
        old, new = _KINDS.get(old, old), _KINDS.get(new, new)
        yield Change("indicator", old, new, f"indicator {old} → {new}")
    for name, was, now in _differences(to_json(before.indicator), to_json(after.indicator), ""):
        yield Change("indicator", _shown(was), _shown(now), f"indicator {name}: {_shown(was)} → {_shown(now)}")


def _others(before: SLO, after: SLO) -> Iterator[Change]:
    for each in fields(SLO):
        old, new = getattr(before, each.name), getattr(after, each.name)
        if each.name in _UNCHANGED or each.name in _TOLD_APART or old == new:
            continue
        name = _NAMES.get(each.name, each.name.replace("_", " "))
        if isinstance(old, DataPolicy) and isinstance(new, DataPolicy):
            yield from _policy(old, new)
            continue
        if each.name == "exclusions":
            yield from _exclusions(old, new)
            continue
        if each.name == "legacy_names":
            yield from _kept_names(old, new)
            continue
        for inner, was, now in _differences(to_json(old), to_json(new), ""):
            words = f"{name}{' ' + inner if inner else ''}: {_shown(was)} → {_shown(now)}"
            yield Change(each.name, _shown(was), _shown(now), words)


def _policy(before: DataPolicy, after: DataPolicy) -> Iterator[Change]:
    """Standard settings are told by their values: whoever reads `none → bad` would not know what was there."""
    for each in fields(DataPolicy):
        old, new = (_setting(getattr(policy, each.name)) for policy in (before, after))
        if old != new:
            name = each.name.replace("_", " ")
            yield Change("policy", old, new, f"data policy {name}: {old} → {new}")


def _kept_names(before: LegacyNames | None, after: LegacyNames | None) -> Iterator[Change]:
    """Dashboards of another tool live on by these series, so that they end is as important as that they begin."""
    for names, words in ((before, "no longer recorded"), (after, "recorded, too")):
        if names is not None and names.recorded:
            of = names.dialect.value.capitalize()
            labels = ", ".join(f"{name}={value}" for name, value in names.labels)
            was, now = (labels, "") if names is before else ("", labels)
            yield Change("legacy_names", was, now, f"series under {of}'s names are {words}: {labels}")


def _exclusions(before: Sequence[Exclusion], after: Sequence[Exclusion]) -> Iterator[Change]:
    """A recurring one has many intervals, which `flyball slo exclusions` lists: here it is how its owner wrote it."""
    was, now = ({each.name: each for each in exclusions} for exclusions in (before, after))
    for name in dict.fromkeys((*was, *now)):
        old, new = (_exclusion(side[name]) if name in side else "" for side in (was, now))
        if old and new and was[name] != now[name]:
            words = f"exclusion {name}: {old} → {new}" if old != new else f"exclusion {name}: at other times"
            yield Change("exclusions", old, new, words)
        elif not old:
            yield Change("exclusions", old, new, f"exclusion {name}: new, {new}")
        elif not new:
            yield Change("exclusions", old, new, f"exclusion {name}: gone, it was {old}")


def _exclusion(exclusion: Exclusion) -> str:
    first = next(iter(exclusion.intervals), None)
    once = f"{_moment(first[0])} to {_moment(first[1])}" if first else "at no time"
    said = f"{exclusion.recurrence}, first {once}" if exclusion.recurrence else once
    return f"{said}; until {_moment(exclusion.expires)}; {exclusion.owner}: {exclusion.reason}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _setting(value: NoTraffic | Absent | timedelta | str) -> str:
    if isinstance(value, timedelta):
        return wording.duration(value)
    return _shown(value if isinstance(value, str) else value.value)


def _differences(before: JSON, after: JSON, at: str) -> Iterator[tuple[str, JSON, JSON]]:
    """The deepest places at which two values differ: their path, and what stands there; None where nothing does."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            if key != "is":
                place = at if key == "text" and at else f"{at}.{key}" if at else key
                yield from _differences(before.get(key), after.get(key), place)
    elif (_are_pairs(before) or before is None) and (_are_pairs(after) or after is None):
        yield from _differences(_as_mapping(before), _as_mapping(after), at)
    elif before != after:
        yield at, before, after


def _are_pairs(value: JSON) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, list) and len(each) == 2 and isinstance(each[0], str) for each in value
    )


def _as_mapping(value: JSON) -> dict[str, JSON]:
    if not isinstance(value, list):
        return {}
    return {str(pair[0]): pair[1] for pair in value if isinstance(pair, list)}


def _shown(value: JSON) -> str:
    if value in (None, "", [], {}):
        return "none"
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    if isinstance(value, dict):
        texts = {key: _shown(each) for key, each in value.items() if key != "is"}
        return "; ".join(texts.values() if len(texts) == 1 else (f"{key} {text}" for key, text in texts.items()))
    return str(value)


def _tiers(slo: SLO) -> tuple[Tier, ...]:
    return tiers_within(slo.window.length, slo.alerting.tiers)


def _errors_needed(slo: SLO, tier: Tier) -> Decimal:
    """The share of bad events, at even traffic, from which the tier fires; 1 and more cannot be exceeded."""
    return threshold(tier, slo.window.length) * slo.budget_ratio


def _needs(slo: SLO, tier: Tier) -> str:
    share = _errors_needed(slo, tier)
    over = f"over {_length(tier.long)}"
    if share >= 1:
        return f"more than 100 % errors {over}: it can never fire"
    return f"{_share(share)} errors {over}"


def _share(share: Decimal) -> str:
    return wording.percent(float(share))


def _length(length: timedelta) -> str:
    return wording.duration(length) if length < timedelta(days=2) else duration(length).replace("d", " d")
