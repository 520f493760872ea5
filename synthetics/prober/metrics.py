"""What a prober says of its own health."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from controlplane import check_names

_BUCKETS_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class ProberMetrics:
    """One set for all probers of a process; each counts under its region."""

    def __init__(self, registry: CollectorRegistry) -> None:
        region = [check_names.REGION]
        self.start_delay = Histogram(
            check_names.PROBER_START_DELAY,
            "Actual less planned start of a turn.",
            region,
            buckets=_BUCKETS_SECONDS,
            registry=registry,
        )
        self.runs = Counter(
            check_names.PROBER_RUNS, "Runs that ended, by outcome.", [*region, "kind", "outcome"], registry=registry
        )
        self.missed = Counter(
            check_names.PROBER_MISSED,
            "Turns not taken: the run before still went on (overrun), or the prober was held up (late).",
            [*region, "reason"],
            registry=registry,
        )
        self.running = Gauge(check_names.PROBER_RUNNING, "Runs that are under way.", region, registry=registry)
        self.checks = Gauge(check_names.PROBER_CHECKS, "Checks that have a turn.", region, registry=registry)
