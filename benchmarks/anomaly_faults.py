"""What is found of faults injected into generated series, how soon, and what is told of nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from alerts.anomaly.faults.measuring import OURS, Measured, labels, measure
from alerts.anomaly.faults.views import measured_text
from benchmarks.report import Figure, progress, show

SERIES: Final = 40  # of each fault; as `flyball anomaly faults` does by itself
SEED: Final = 1
STEP: Final = timedelta(minutes=5)
_POINT: Final = OURS[0]


def run() -> None:
    """Measure, print, keep; the tables stand in docs/reference/anomaly-faults.md."""
    progress(f"{sum(1 for _ in labels(SERIES))} batches of series")
    measured = measure(SERIES, SEED, STEP)
    print(f"\n{measured_text(measured)}")
    show("anomaly faults: injected into generated series", list(_figures(measured)))


def _figures(measured: Measured) -> Iterator[Figure]:
    for fault, by_detector in measured.faults.items():
        for name in OURS:
            found = by_detector[name]
            minutes = found.median / timedelta(minutes=1) if found.median is not None else float("nan")
            yield Figure(f"{fault.value}: found by {name}", found.share, "share", detail=f"median {minutes:.0f} min")
    for name, quiet in measured.quiet.items():
        detail = f"precision {quiet.precision:.2f} recall {quiet.recall:.2f}"
        yield Figure(f"{name}: false alarms a series and month", quiet.false_a_month, "")
        yield Figure(f"{name}: event-F1", quiet.f1, "", detail=detail)
    peers = max(quiet.f1 for name, quiet in measured.quiet.items() if name.startswith("z-score"))
    better = measured.quiet[_POINT].f1 - peers
    yield Figure("point − the best rolling z-score, event-F1", better, "", 0.15, at_most=False)
    for kind, calm in measured.harmless.items():
        detail = f"untold {calm.unaware:.2f}, usual {calm.usual:.2f}"
        yield Figure(f"{kind.value}: alarmed, told of it", calm.aware, "share", detail=detail)
