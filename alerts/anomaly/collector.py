"""How watching for anomalies goes, on /metrics; what is known of each series is `exposition`'s."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, Metric
from prometheus_client.registry import Collector

from alerts.anomaly.scoring.chunk import Misfit
from alerts.anomaly.scoring.result import CycleResult, Phase, SampleOutcome, SeriesState
from controlplane import anomaly_names as names

_BUCKETS_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_REASON: Final = "reason"
_PHASE: Final = "phase"
_OUTCOME: Final = "outcome"


class AnomalyCollector(Collector):
    """Give it to a registry. Gauges are told while this process leads, as `is_heard` says; counters always."""

    def __init__(self, is_heard: Callable[[], bool]) -> None:
        self._is_heard = is_heard
        by_detector = [names.DETECTOR]
        self._series = Gauge(
            names.SERIES, "Series of a detector, by how they stand.", [*by_detector, names.STATE], registry=None
        )
        self._failing = Gauge(
            names.FAILING, "1 while a detector cannot be worked on, else 0.", by_detector, registry=None
        )
        self._samples = Counter(names.SAMPLES, "Samples that were read.", [*by_detector, _OUTCOME], registry=None)
        self._seconds = Histogram(
            names.CYCLE_SECONDS, "How long a part of a cycle took.", [_PHASE], buckets=_BUCKETS_SECONDS, registry=None
        )
        self._rebuilt = Counter(
            names.REBUILT, "Chunks of stored models that did not fit, by why.", [_REASON], registry=None
        )
        for misfit in Misfit:  # a counter that is born with its first increase hides it from `rate`
            self._rebuilt.labels(misfit.value)
        for phase in Phase:
            self._seconds.labels(phase.value)
        self._known: set[str] = set()

    def collect(self) -> Iterator[Metric]:
        """Everything."""
        for metric in (self._samples, self._seconds, self._rebuilt):
            yield from metric.collect()
        if self._is_heard():
            yield from self._series.collect()
            yield from self._failing.collect()

    def observe(self, result: CycleResult) -> None:
        """A cycle went well."""
        detector = result.detector
        self._expect(detector)
        self._failing.labels(detector).set(0)
        for state in SeriesState:
            self._series.labels(detector, state.value).set(result.series.get(state, 0))
        for outcome, count in result.samples.items():
            self._samples.labels(detector, outcome.value).inc(count)
        for phase, seconds in result.seconds.items():
            self._seconds.labels(phase.value).observe(seconds)
        for reason, count in result.rebuilt.items():
            self._rebuilt.labels(reason).inc(count)

    def failed(self, detector: str) -> None:
        """A cycle could not be done."""
        self._expect(detector)
        self._failing.labels(detector).set(1)

    def declared(self, detectors: Iterable[str]) -> None:
        """These are declared now: others are not told any more."""
        kept = set(detectors)
        for detector in self._known - kept:
            self._failing.remove(detector)
            for state in SeriesState:
                self._series.remove(detector, state.value)
            for outcome in SampleOutcome:
                self._samples.remove(detector, outcome.value)
        self._known &= kept

    def _expect(self, detector: str) -> None:
        if detector not in self._known:
            self._known.add(detector)
            for outcome in SampleOutcome:
                self._samples.labels(detector, outcome.value)
            for state in SeriesState:
                self._series.labels(detector, state.value)
