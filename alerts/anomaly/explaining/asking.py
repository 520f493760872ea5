"""Explain one step of one series from a fresh reading: what was expected, how rare it is, whether it alerts and why."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from alerts.anomaly.backtesting.costs import read_costs
from alerts.anomaly.backtesting.model import Past
from alerts.anomaly.backtesting.past import read_past, warm_up
from alerts.anomaly.backtesting.replaying import Judged, judged
from alerts.anomaly.calendars.naming import sentence_of
from alerts.anomaly.detector.model import Grid, Panel, Phases
from alerts.anomaly.detector.utc import plain_phases
from alerts.anomaly.episodes.model import EpisodeKind
from alerts.anomaly.explaining.facts import same_phase, step_facts
from alerts.anomaly.explaining.model import Earlier, Explained, Share
from alerts.anomaly.explaining.narrowing import narrowed
from alerts.anomaly.explaining.verdicts import verdict
from alerts.anomaly.groups.contributions import leading, shares
from alerts.anomaly.groups.discoveries import admitted, rarest
from alerts.anomaly.model import AnomalyDetector, Output
from alerts.anomaly.scoring.lineup import series_text
from alerts.anomaly.scoring.past import SERVICE, Rulings
from alerts.anomaly.scoring.phase_table import phase_table
from alerts.anomaly.scoring.steps import index_at, time_of
from controlplane import anomaly_names as names
from controlplane.matrix_ports import MatrixBackend
from controlplane.model.anomaly import Episode
from controlplane.model.spend import Ledger
from controlplane.ports import CostLedger, Permanent

RulingsOf = Callable[[AnomalyDetector, datetime, datetime], Rulings]
"""Calendars and feedback of a detector for a time."""
MOST_MEMBERS: Final = 300  # of a group that are read to say who has to do with it
_BEFORE: Final = timedelta(days=1)  # of hysteresis before the step that is explained
_LEAST_BEFORE: Final = 24  # steps
_NO_PHASES: Final = Phases(np.empty((0, 7), dtype=np.int32), np.empty((0, 4), dtype=np.int32))


def explain(
    source: MatrixBackend,
    detector: AnomalyDetector,
    labels: Mapping[str, str],
    at: datetime,
    rulings_of: RulingsOf,
    ledgers: Callable[[Ledger], CostLedger | None] = lambda kind: None,
) -> Explained | None:
    """The step that holds `at`; None where nothing is known of that series. Raises what the source raises.

    Only the series is read, and of a detector with groups its group, of at most 300 members. `labels` of a group
    itself have `group="1"`. Of daily costs the ledger is read; without one the answer is None.
    """
    end = time_of(index_at(at, detector.step) + 1, detector.step)
    before = max(_BEFORE, _LEAST_BEFORE * detector.step)
    if detector.cost is not None:
        ledger = ledgers(detector.cost.ledger)
        past = None if ledger is None else read_costs(ledger, detector, end - before, end)
    else:
        past, is_whole = _read(source, detector, labels, end - warm_up(detector) - before, end)
        detector = detector if is_whole else replace(detector, grouping=None)
    if past is None or not len(past.labels) or not past.values.shape[1]:
        return None
    rulings = rulings_of(detector, time_of(past.first, past.step), end)
    found = judged(detector, past, end - before, rulings, with_channels=True)
    wanted = series_text(labels)
    if wanted not in found.lineup.keys or not found.values.shape[1]:
        return None
    return _explained(detector, found, past, found.lineup.keys.index(wanted), rulings, at)


def _read(
    source: MatrixBackend, detector: AnomalyDetector, labels: Mapping[str, str], start: datetime, end: datetime
) -> tuple[Past, bool]:
    """The past, and whether it holds the whole group."""
    plain = {name: value for name, value in labels.items() if name != names.GROUP}
    if detector.grouping is None:
        return read_past(source, detector, start, end, query=narrowed(detector.query, plain)), True
    by = {name: plain.get(name, "") for name in detector.grouping.by}
    of_group = replace(detector, most_series=MOST_MEMBERS)
    try:
        return read_past(source, of_group, start, end, query=narrowed(detector.query, by)), True
    except Permanent:
        if names.GROUP in labels:
            raise
        return read_past(source, detector, start, end, query=narrowed(detector.query, plain)), False


def _explained(
    detector: AnomalyDetector, found: Judged, past: Past, row: int, rulings: Rulings, at: datetime
) -> Explained:
    lineup = found.lineup
    labels, key = lineup.labels[row], lineup.keys[row]
    place = min(max(index_at(at, past.step) - found.start, 0), found.values.shape[1] - 1)
    judged_time = Grid(found.start, past.step, found.values.shape[1])
    facts = step_facts(Panel(found.values, judged_time, _NO_PHASES), found.scores, row, place)
    earlier = _earlier(detector, found, past, row, rulings, found.start - past.first + place)
    now = [each for each in found.episodes if each.series == key and _is_open(each, facts.at)]
    alarms = [each for each in now if each.kind in (EpisodeKind.POINT.value, EpisodeKind.SUSTAINED.value)]
    held = _is_held(detector, found, row)
    notes = sentence_of(rulings.calendars, facts.at, labels.get(SERVICE, ""))
    group, members = _members(found, row)
    return Explained(
        detector=detector.name,
        series=key,
        facts=facts,
        earlier=earlier,
        said=verdict(detector, facts, alarms, coverage=float(found.scores.coverage[row, place]), is_held=held),
        would_alert=bool(alarms),
        open_since=min((each.started_at for each in now), default=None),
        notes=(notes,) if notes else (),
        group=group,
        members=members,
        warnings=past.warnings,
    )


def _earlier(
    detector: AnomalyDetector, found: Judged, past: Past, row: int, rulings: Rulings, index: int
) -> tuple[Earlier, ...]:
    """The same phase before; of costs the same weekday."""
    grid = Grid(past.first, past.step, past.values.shape[1])
    if detector.cost is None:
        lags = phase_table(grid, rulings.zone, rulings.calendars.special).part(grid)
    else:
        lags = plain_phases(grid)
        lags = Phases(np.zeros_like(lags.daily), lags.weekly)
    return same_phase(Panel(found.all_values, grid, lags), row, index)


def _is_open(episode: Episode, at: datetime) -> bool:
    return episode.started_at <= at and (episode.ended_at is None or episode.ended_at > at)


def _is_held(detector: AnomalyDetector, found: Judged, row: int) -> bool:
    """Whether the last step of a member does not pass the false-discovery control of its group."""
    lineup, grouping = found.lineup, detector.grouping
    if lineup.groups is None or grouping is None or grouping.false_discovery_rate is None or row >= lineup.own:
        return False
    own, scores = slice(0, lineup.own), found.scores
    slow = scores.slow[own, -1] if Output.SUSTAINED in detector.outputs else None
    rarity = rarest(scores.seasonal[own, -1], scores.range_all[own, -1], scores.range_recent[own, -1], slow)
    return not bool(admitted(rarity, lineup.groups, float(grouping.false_discovery_rate))[row])


def _members(found: Judged, row: int) -> tuple[str, tuple[Share, ...]]:
    """The group that a series is in, or is, and the members that are furthest off at the last step."""
    lineup = found.lineup
    if lineup.groups is None:
        return "", ()
    number = row - lineup.own if row >= lineup.own else int(lineup.groups.of[row])
    if number < 0:
        return "", ()
    own = slice(0, lineup.own)
    parts = shares(found.values[own, -1], found.scores.expected[own, -1], lineup.groups)
    known = np.isfinite(parts).any()
    leaders = leading(parts, lineup.groups, number) if known else []
    return lineup.keys[lineup.own + number], tuple(Share(lineup.keys[at], share) for at, share in leaders)
