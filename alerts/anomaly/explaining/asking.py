"""Explain one step of one series from a fresh reading: what was expected, how rare it is, whether it alerts and why."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from alerts.anomaly.backtesting.model import Past
from alerts.anomaly.backtesting.past import read_past, warm_up
from alerts.anomaly.backtesting.replaying import Judged, judged, panel_of
from alerts.anomaly.calendars.naming import sentence_of
from alerts.anomaly.detector.history import score_history
from alerts.anomaly.detector.model import Grid
from alerts.anomaly.episodes.model import EpisodeKind
from alerts.anomaly.explaining.facts import same_phase, step_facts
from alerts.anomaly.explaining.model import Explained, Share
from alerts.anomaly.explaining.narrowing import narrowed
from alerts.anomaly.explaining.verdicts import verdict
from alerts.anomaly.groups.contributions import leading, shares
from alerts.anomaly.groups.discoveries import admitted, rarest
from alerts.anomaly.model import AnomalyDetector, Output
from alerts.anomaly.scoring.lineup import series_text
from alerts.anomaly.scoring.past import SERVICE, Rulings
from alerts.anomaly.scoring.phase_table import phase_table
from alerts.anomaly.scoring.steps import index_at, time_of
from alerts.anomaly.scoring.terms import terms_of
from controlplane import anomaly_names as names
from controlplane.matrix_ports import MatrixBackend
from controlplane.model.anomaly import Episode
from controlplane.ports import Permanent

RulingsOf = Callable[[AnomalyDetector, datetime, datetime], Rulings]
"""Calendars and feedback of a detector for a time."""
MOST_MEMBERS: Final = 300  # of a group that are read to say who has to do with it
_BEFORE: Final = timedelta(days=1)  # of hysteresis before the step that is explained
_LEAST_BEFORE: Final = 24  # steps


def explain(
    source: MatrixBackend, detector: AnomalyDetector, labels: Mapping[str, str], at: datetime, rulings_of: RulingsOf
) -> Explained | None:
    """The step that holds `at`; None where the backend has nothing of that series. Raises what the source raises.

    Only the series is read, and of a detector with groups its group, of at most 300 members. `labels` of a group
    itself have `group="1"`.
    """
    start, end = at - warm_up(detector) - _BEFORE, time_of(index_at(at, detector.step) + 1, detector.step)
    past, is_whole = _read(source, detector, labels, start, end)
    wanted = series_text(labels)
    if not is_whole:
        detector = replace(detector, grouping=None)
    if not len(past.labels):
        return None
    rulings = rulings_of(detector, start, end)
    before = max(_BEFORE, _LEAST_BEFORE * detector.step)
    found = judged(detector, past, end - before, rulings)
    if wanted not in found.lineup.keys:
        return None
    row = found.lineup.keys.index(wanted)
    return _explained(detector, found, past, row, rulings, at)


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
    grid = Grid(past.first, past.step, past.values.shape[1])
    labels, key = lineup.labels[row], lineup.keys[row]
    table = phase_table(grid, rulings.zone, rulings.calendars.special)
    panel = panel_of(grid, found.all_values[row : row + 1], [key], [labels], rulings, table)
    scores = score_history(panel, terms_of(detector))
    index = min(max(index_at(at, past.step) - past.first, 0), grid.count - 1)
    facts = step_facts(panel, scores, 0, index)
    now = [each for each in found.episodes if each.series == key and _is_open(each, facts.at)]
    alarms = [each for each in now if each.kind in (EpisodeKind.POINT.value, EpisodeKind.SUSTAINED.value)]
    held = _is_held(detector, found, row)
    notes = sentence_of(rulings.calendars, facts.at, labels.get(SERVICE, ""))
    group, members = _members(found, row)
    return Explained(
        detector=detector.name,
        series=key,
        facts=facts,
        earlier=same_phase(panel, 0, index),
        said=verdict(detector, facts, alarms, coverage=float(scores.coverage[0, index]), is_held=held),
        would_alert=bool(alarms),
        open_since=min((each.started_at for each in now), default=None),
        notes=(notes,) if notes else (),
        group=group,
        members=members,
        warnings=past.warnings,
    )


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
