"""Who is on call and what is due next, on /metrics."""

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.utils import floatToGoString

from alerts.escalation.collector import OnCallCollector
from controlplane.ports import Transient
from tests.alerts.escalation.bench import MINUTE, bench
from tests.alerts.kept_store import NOW


def shown(collector: OnCallCollector) -> list[str]:
    registry = CollectorRegistry()
    registry.register(collector)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_it_shows_who_is_on_call_and_what_is_due_next(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        collector = OnCallCollector(made.store, lambda: made.declared, made.clock)
        made.open()
        acknowledged = made.open()
        made.desk.acknowledge(acknowledged.id, by="ann", via="cli", now=NOW)
        made.run()
        due = NOW + 5 * MINUTE
        assert shown(collector) == [
            'flyball_on_call{person="ann",schedule="sre"} 1.0',
            'flyball_schedule_covered{schedule="night"} 0.0',
            'flyball_schedule_covered{schedule="sre"} 1.0',
            f'flyball_escalation_next_timestamp_seconds{{incident="INC-1"}} {floatToGoString(due.timestamp())}',
        ]


def test_without_a_store_it_still_says_who_is_on_call(tmp_path: Path) -> None:
    class Down:
        def transaction(self, **_: object) -> object:
            raise Transient("the database is away")

    with bench(tmp_path) as made:
        found = shown(OnCallCollector(Down(), lambda: made.declared, made.clock))  # type: ignore[arg-type]
    assert [line.split("{")[0] for line in found] == ["flyball_on_call", *["flyball_schedule_covered"] * 2]
