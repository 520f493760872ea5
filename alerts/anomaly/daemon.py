"""Watches for anomalies: every declared detector at the pace of its own step, each for itself."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.anomaly.collector import AnomalyCollector
from alerts.anomaly.exposition.board import ExpositionBoard
from alerts.anomaly.model import AnomalyDetector
from alerts.anomaly.ports import Deployments
from alerts.anomaly.scoring.cost_run import CostRun, Ledgers
from alerts.anomaly.scoring.latest import Latest
from alerts.anomaly.scoring.removing import remove_undeclared
from alerts.anomaly.scoring.result import CycleResult
from alerts.anomaly.scoring.run import Around, DetectorRun
from alerts.anomaly.scoring.terms import reading_terms
from controlplane.matrix_ports import MatrixBackend
from controlplane.ports import Clock, HeldLease, LeaseLost, Permanent, Store, Transient

TURN_SECONDS: Final = 60.0  # after so long no other detector is begun in a turn
TRIED_AGAIN_AFTER: Final = timedelta(seconds=30)  # a detector that could not be worked on
KEPT: Final = timedelta(days=400)  # episodes and feedback
_TIDIED_EVERY: Final = timedelta(days=1)
_MOST_TOLD: Final = 300  # characters of a reason
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn did: fields for a log. `failed`: why a detector could not be worked on, by its name."""

    detectors: int = 0  # that had a cycle
    steps: int = 0
    series: int = 0
    fitted: int = 0
    opened: int = 0
    closed: int = 0
    late: int = 0
    waiting: int = 0  # that were due, for which there was no time
    failed: Mapping[str, str] = field(default_factory=dict)


class AnomalyDaemon:
    """For the one who leads. `declared` are the detectors of the last good files.

    `ledgers` gives the one of its kind, None where there is none. `board` has what is known of each series,
    `collector` what is known of the work: give both to /metrics.
    """

    def __init__(
        self,
        store: Store,
        declared: Callable[[], Sequence[AnomalyDetector]],
        source: MatrixBackend,
        clock: Clock,
        *,
        deployments: Deployments | None = None,
        ledgers: Ledgers = lambda ledger: None,
        turn_seconds: float = TURN_SECONDS,
        seconds: Callable[[], float] = time.perf_counter,
        kept: timedelta = KEPT,
    ) -> None:
        self._store = store
        self._declared = declared
        self._around = Around(store, source, seconds, deployments)
        self._ledgers = ledgers
        self._seconds = seconds
        self._turn_seconds = turn_seconds
        self._kept = kept
        self._runs: dict[str, DetectorRun | CostRun] = {}
        self._troubles: dict[str, tuple[str, datetime]] = {}  # and when that detector is tried again
        self._lease: tuple[str, int] | None = None
        self._known: frozenset[str] | None = None
        self._tidied: datetime | None = None
        self.board = ExpositionBoard(clock)
        self.collector = AnomalyCollector(self.board.is_heard)

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Turn:
        """Whatever is due: for a job every few seconds. A detector that fails takes no other with it.

        Raises LeaseLost, and what nobody expected of a detector after the others had their turn.
        """
        declared = {each.name: each for each in self._declared()}
        try:
            return self._turn(declared, now, lease)
        except LeaseLost:
            self.board.silence()
            self._lease = None
            raise

    def latest(self) -> tuple[Latest, ...]:
        """What the last cycles found, for `scoring.views.series_views`; nothing where somebody else leads."""
        return self.board.latest()

    def _turn(self, declared: Mapping[str, AnomalyDetector], now: datetime, lease: HeldLease | None) -> Turn:
        begun = self._seconds()
        self._follow(declared, now, lease)
        turn, unexpected = _Counting(), list[Exception]()
        for name in sorted(declared, key=self._order):
            run = self._runs[name]
            if not self._is_due(run, now):
                continue
            if self._seconds() - begun > self._turn_seconds:
                turn.waiting += 1
                continue
            try:
                self._cycle(run, turn, now, lease)
            except LeaseLost:
                raise
            except Exception as error:  # noqa: BLE001 -- raised again when the others had their turn
                self._failed(name, type(error).__name__, turn, now)
                unexpected.append(error)
            self.board.heard(now, declared)
        if unexpected:
            raise unexpected[0]
        self._tidy(now, lease)
        return turn.result()

    def _tidy(self, now: datetime, lease: HeldLease | None) -> None:
        """Forget what ended very long ago."""
        if self._tidied is None or now - self._tidied >= _TIDIED_EVERY:
            with self._store.transaction(lease=lease) as transaction:
                transaction.anomalies.forget(now - self._kept)
            self._tidied = now

    def _cycle(self, run: DetectorRun | CostRun, turn: "_Counting", now: datetime, lease: HeldLease | None) -> None:
        name = run.detector.name
        try:
            result = run.cycle(now, lease)
        except (Transient, Permanent) as error:
            self._failed(name, str(error), turn, now)
            return
        if self._troubles.pop(name, None) is not None:
            log.info("anomaly.detector_recovered", extra={"detector": name})
        self.collector.observe(result)
        if result.latest is not None:
            self.board.show(result.latest)
        _tell(result)
        turn.add(result)

    def _failed(self, name: str, why: str, turn: "_Counting", now: datetime) -> None:
        """Counted, and told when it is another failure than before."""
        known = self._troubles.get(name)
        if known is None or known[0] != why:
            log.warning("anomaly.detector_failed", extra={"detector": name, "error": why[:_MOST_TOLD]})
        self._troubles[name] = why, now + TRIED_AGAIN_AFTER
        self.collector.failed(name)
        turn.failed[name] = why[:_MOST_TOLD]

    def _is_due(self, run: DetectorRun | CostRun, now: datetime) -> bool:
        trouble = self._troubles.get(run.detector.name)
        is_resting = trouble is not None and trouble[1] - TRIED_AGAIN_AFTER <= now < trouble[1]
        return run.is_due(now) and not is_resting

    def _order(self, name: str) -> tuple[str, str]:
        """Those that wait for longest come first."""
        scored = self._runs[name].scored_to
        return ("" if scored is None else scored.isoformat()), name

    def _follow(self, declared: Mapping[str, AnomalyDetector], now: datetime, lease: HeldLease | None) -> None:
        """What is declared, and who leads."""
        self.board.heard(now, declared)
        self.collector.declared(declared)
        epoch = None if lease is None else (lease.name, lease.epoch)
        if epoch != self._lease:  # somebody else may have led in between
            for run in self._runs.values():
                run.forget()
            self._lease, self._known = epoch, None
        for name, detector in declared.items():
            known = self._runs.get(name)
            if known is None or known.detector != detector:
                self._runs[name] = self._made(detector, known)
                self._troubles.pop(name, None)
        self._runs = {name: run for name, run in self._runs.items() if name in declared}
        names = frozenset(declared)
        if names != self._known:
            remove_undeclared(self._store, names, now, lease)
            self._known = names

    def _made(self, detector: AnomalyDetector, before: DetectorRun | CostRun | None) -> DetectorRun | CostRun:
        """With the samples of the definition before, where those of the new one are the same."""
        if detector.cost is not None:
            return CostRun(detector, self._around, self._ledgers)
        is_same = isinstance(before, DetectorRun) and before.history.terms == reading_terms(detector)
        history = before.history if isinstance(before, DetectorRun) and is_same else None
        return DetectorRun(detector, self._around, history)


@dataclass(slots=True)
class _Counting:
    detectors: int = 0
    steps: int = 0
    series: int = 0
    fitted: int = 0
    opened: int = 0
    closed: int = 0
    late: int = 0
    waiting: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, result: CycleResult) -> None:
        self.detectors += 1
        self.steps += result.steps
        self.series += sum(result.series.values())
        self.fitted += result.fitted
        self.opened += result.opened
        self.closed += result.closed
        self.late += result.late

    def result(self) -> Turn:
        return Turn(
            self.detectors, self.steps, self.series, self.fitted, self.opened, self.closed, self.late, self.waiting,
            self.failed,
        )  # fmt: skip


def _tell(result: CycleResult) -> None:
    """What somebody who reads the log wants to know of a cycle; nothing of one like any other."""
    for warning in result.warnings:
        log.info("anomaly.source_warned", extra={"detector": result.detector, "warning": warning[:_MOST_TOLD]})
    if result.rebuilt:
        log.info("anomaly.models_rebuilt", extra={"detector": result.detector, **result.rebuilt})
    if result.opened or result.closed:
        told = {"detector": result.detector, "opened": result.opened, "closed": result.closed}
        log.info("anomaly.changed", extra=told)
