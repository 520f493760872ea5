"""How watching goes, on /metrics."""

from prometheus_client import CollectorRegistry

from alerts.anomaly.collector import AnomalyCollector
from alerts.anomaly.scoring.result import CycleResult, Phase, SampleOutcome, SeriesState

RESULT = CycleResult(
    "traffic",
    series={SeriesState.SCORED: 3, SeriesState.GAP: 1},
    samples={SampleOutcome.NEW: 4, SampleOutcome.LATE: 2},
    seconds={Phase.READ: 0.2},
    rebuilt={"version": 2},
)


class Registered:
    def __init__(self) -> None:
        self.leads = True
        self.collector = AnomalyCollector(lambda: self.leads)
        self.registry = CollectorRegistry()
        self.registry.register(self.collector)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def test_counters_stand_before_anything_happened() -> None:
    them = Registered()
    assert them.value("flyball_anomaly_models_rebuilt_total", reason="damaged") == 0
    assert them.value("flyball_anomaly_cycle_seconds_count", phase="store") == 0
    them.collector.failed("traffic")
    assert them.value("flyball_anomaly_samples_total", detector="traffic", outcome="late") == 0


def test_cycles_add_up_and_series_do_not() -> None:
    them = Registered()
    them.collector.observe(RESULT)
    them.collector.observe(RESULT)
    assert them.value("flyball_anomaly_samples_total", detector="traffic", outcome="new") == 8
    assert them.value("flyball_anomaly_series", detector="traffic", state="scored") == 3
    assert them.value("flyball_anomaly_series", detector="traffic", state="warming") == 0
    assert them.value("flyball_anomaly_cycle_seconds_count", phase="read") == 2
    assert them.value("flyball_anomaly_models_rebuilt_total", reason="version") == 4


def test_a_failure_lasts_until_a_cycle_goes_well() -> None:
    them = Registered()
    them.collector.failed("traffic")
    assert them.value("flyball_anomaly_failing", detector="traffic") == 1
    them.collector.observe(RESULT)
    assert them.value("flyball_anomaly_failing", detector="traffic") == 0


def test_a_follower_says_nothing_of_detectors_and_nobody_of_those_that_are_gone() -> None:
    them = Registered()
    them.collector.observe(RESULT)
    them.leads = False
    assert them.value("flyball_anomaly_series", detector="traffic", state="scored") is None
    them.leads = True
    them.collector.declared(["other"])
    assert them.value("flyball_anomaly_series", detector="traffic", state="scored") is None
    assert them.value("flyball_anomaly_samples_total", detector="traffic", outcome="new") is None
