"""How delivery goes, as Prometheus reads it."""

from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.utils import floatToGoString

from alerts.adapters.spool_folder import SpoolFolder
from alerts.delivery.collector import DeliveryCollector, waits
from alerts.delivery.spool.model import spooled_of
from controlplane.model.alert import AlertNotification, AlertStatus
from controlplane.ports import Transaction, Transient
from tests.alerts.delivery.house import House
from tests.alerts.snapshots import ALERT, NOW


def exposed(registry: CollectorRegistry) -> list[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_what_waits_and_what_fails_is_told_by_channel(house: House, tmp_path: Path) -> None:
    spool = SpoolFolder(tmp_path / "spool")
    spool.put(spooled_of(AlertNotification("g", "pages", AlertStatus.FIRING, (ALERT,)), NOW))
    registry = CollectorRegistry()
    registry.register(DeliveryCollector(house.store, failing=house.lanes.failing, spool=spool))
    house.pager.down = lambda: Transient("503")
    house.open()
    house.clock.pass_(timedelta(seconds=5))
    house.run()
    queued, failed = floatToGoString(NOW.timestamp()), floatToGoString(house.now.timestamp())
    assert exposed(registry) == [
        f'flyball_channel_failing_timestamp_seconds{{channel="pagerduty:SRE"}} {failed}',
        "flyball_spool_pages 1.0",
        f'flyball_outbox_oldest_timestamp_seconds{{channel="pagerduty:SRE"}} {queued}',
    ]


def test_while_the_database_is_away_only_what_waits_there_is_unknown(house: House) -> None:
    class Away:
        def transaction(self, **how: object) -> AbstractContextManager[Transaction]:
            raise Transient("away")

    registry = CollectorRegistry()
    registry.register(DeliveryCollector(Away(), failing=lambda: {"pagerduty:SRE": NOW}))  # type: ignore[arg-type]
    assert exposed(registry) == [
        f'flyball_channel_failing_timestamp_seconds{{channel="pagerduty:SRE"}} {floatToGoString(NOW.timestamp())}'
    ]


def test_how_long_pages_waited_is_told_by_kind_and_priority() -> None:
    registry = CollectorRegistry()
    observe = waits(registry)
    observe("pagerduty", 0, 1.5)
    observe("pagerduty", 99, 1.5)
    assert 'flyball_page_delivery_seconds_bucket{kind="pagerduty",le="2.0",priority="P0"} 1.0' in exposed(registry)
    assert 'flyball_page_delivery_seconds_count{kind="pagerduty",priority="P4"} 1.0' in exposed(registry)
