"""Does the frozen detector hold on what it was not made for? One-minute figures of services, with standard terms.

`benchmarks.anomaly_kpi_data` makes them up. Every series is scored as a gauge in both directions, as a file that
somebody drops in would be. A peer's threshold is the best there is on these very series; ours is the standard one.

The generator was drawn anew twice after first results were seen, and seeds 11 and 12 were looked at all the time: the
margin over the z-score there is no independent evidence. `ANOMALY_SEEDS=21,22` are seeds that no change was made for.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from alerts.anomaly.detector.history import score_history
from alerts.anomaly.detector.model import Floats, Panel, Terms
from alerts.anomaly.detector.utc import plain_phases
from alerts.anomaly.faults.judging import Verdict, added, best_threshold, candidates, judged
from alerts.anomaly.faults.peers import grafana_adaptive, rolling_z
from benchmarks.anomaly_kpi_data import DAYS, STEP, Kpis, kpis
from benchmarks.report import Figure, progress, show

SEEDS: Final = tuple(map(int, os.environ.get("ANOMALY_SEEDS", "11,12").split(",")))
GRACE: Final = 7  # minutes
MERGE: Final = 60  # minutes: false alarms that close together are one
_MONTHS: Final = (DAYS - 2) / 30
_SETTLED: Final = 2 * 1440  # the first two days are not judged
WINDOWS: Final = (60, 1440)


@dataclass(slots=True)
class Tally:
    """What was found of which kinds of anomaly, in how many series."""

    verdict: Verdict = field(default_factory=lambda: Verdict(0, 0, 0))
    series: int = 0
    found: Counter[str] = field(default_factory=Counter)
    all: Counter[str] = field(default_factory=Counter)


def run() -> None:
    """Measure, print, keep."""
    data = [each for seed in SEEDS for each in kpis(seed)]
    scores: dict[str, list[Floats]] = {
        "point": [],
        "sustained": [],
        **{f"z {each}": [] for each in WINDOWS},
        "grafana": [],
        "oracle": [],
    }
    for number, each in enumerate(data, 1):
        progress(f"{each.kind} ({number} of {len(data)})")
        for name, found in _scored(each).items():
            scores[name].append(found)
    _table(data, scores["point"])
    show("anomaly KPIs: event-F1 on 1-minute figures of services", list(_figures(data, scores)))


def _scored(each: Kpis) -> Mapping[str, Floats]:
    found = score_history(Panel(each.values, each.grid, plain_phases(each.grid)), Terms())
    alarms = grafana_adaptive(each.values, STEP)
    return {
        "point": found.score,
        "sustained": found.sustained_score,
        **{f"z {window}": rolling_z(each.values, window) for window in WINDOWS},
        "grafana": np.where(alarms, 2, 0).astype(np.float32),
        "oracle": _oracle(each),
    }


def _oracle(each: Kpis) -> Floats:
    """What nobody can beat by much: the distance of five minutes to what would have been, in deviations of the hour."""
    away = np.nan_to_num(each.values - each.usual)
    hours = 1.4826 * np.median(np.abs(away).reshape(len(away), -1, 60), axis=2)
    usual = np.repeat(np.maximum(hours, 0.3 * np.median(hours, axis=1, keepdims=True)), 60, axis=1)
    total = np.cumsum(away, axis=1)
    total[:, 5:] -= total[:, :-5].copy()
    return np.where(np.isfinite(each.values), np.abs(total) / 5**0.5 / np.maximum(usual, 1e-9), np.nan).astype(
        np.float32
    )


def _figures(data: Sequence[Kpis], scores: Mapping[str, Sequence[Floats]]) -> Iterator[Figure]:
    faulty = [row[_SETTLED:] for each in data for row in each.labels]
    peers, point = [], float("nan")
    for name, parts in scores.items():
        rows = [row[_SETTLED:] for part in parts for row in part]
        if name != "grafana":
            threshold, best = best_threshold(rows, faulty, grace=GRACE, merge=MERGE, thresholds=candidates(rows))
            yield Figure(f"{name}: event-F1, best threshold", best.f1, "", detail=_said(best, len(rows), threshold))
            if name.startswith("z"):
                peers.append(best.f1)
            if name.startswith(("z", "oracle")):
                continue
        for merge in (MERGE, 10, 0):
            verdict = added(
                judged(row > 1, fault, grace=GRACE, merge=merge) for row, fault in zip(rows, faulty, strict=True)
            )
            if merge == MERGE and name == "point":
                point = verdict.f1
            title = f"{name}: event-F1" + ("" if merge == MERGE else f", merged within {merge} min")
            yield Figure(title, verdict.f1, "", detail=_said(verdict, len(rows), 1))
    yield Figure("point − the best rolling z-score", point - max(peers), "", 0.15, at_most=False)


def _said(verdict: Verdict, series: int, threshold: float) -> str:
    false = verdict.false / (series * _MONTHS)
    return (
        f"precision {verdict.precision:.2f} recall {verdict.recall:.2f} at {threshold:.3g}; {false:.1f} false a month"
    )


def _table(data: Sequence[Kpis], scores: Sequence[Floats]) -> None:
    """By kind of series, and by kind of anomaly."""
    tallies: dict[str, Tally] = {}
    for each, score in zip(data, scores, strict=True):
        tally = tallies.setdefault(each.kind, Tally())
        for row, labels, causes in zip(score, each.labels, each.causes, strict=True):
            alarms = row[_SETTLED:] > 1
            verdict = judged(alarms, labels[_SETTLED:], grace=GRACE, merge=MERGE)
            tally.verdict, tally.series = added([tally.verdict, verdict]), tally.series + 1
            for start, stop, name in causes:
                tally.all[name] += 1
                tally.found[name] += bool((row[start : stop + GRACE] > 1).any())
    names = sorted({name for tally in tallies.values() for name in tally.all})
    print(f"\n| series | F1 | precision | recall | false a month | {' | '.join(names)} |")
    print("|---|" + "---:|" * (4 + len(names)))
    whole = Tally(added(each.verdict for each in tallies.values()), sum(each.series for each in tallies.values()))
    for tally in tallies.values():
        whole.found, whole.all = whole.found + tally.found, whole.all + tally.all
    for kind, tally in [*tallies.items(), ("all", whole)]:
        verdict, found = tally.verdict, [f"{tally.found[name]}/{tally.all[name]}" for name in names]
        shown = [f"{each:.2f}" for each in (verdict.f1, verdict.precision, verdict.recall)]
        cells = [kind, *shown, f"{verdict.false / (tally.series * _MONTHS):.1f}", *found]
        print(f"| {' | '.join(cells)} |")
    sys.stdout.flush()
