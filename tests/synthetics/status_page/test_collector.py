"""What Prometheus scrapes of status pages."""

from types import SimpleNamespace

from prometheus_client import CollectorRegistry, generate_latest

from controlplane.model.check import VerdictKind
from controlplane.model.status_record import Channel, Subscriber, SubscriberState
from controlplane.store import SqlStore, open_store
from synthetics.status_page.collector import StatusCollector
from tests.synthetics.status_page.paging import DRAFTING, MINUTE, NOW, World, a_page


def scraped(world: World, store: SqlStore) -> list[str]:
    registry = CollectorRegistry()
    registry.register(StatusCollector(store, lambda: [world.page], SimpleNamespace(now=lambda: world.now)))  # type: ignore[arg-type]
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_statuses_promises_drafts_and_subscribers_are_told(store: SqlStore) -> None:
    world = World(store, a_page(DRAFTING))
    with store.transaction() as transaction:
        transaction.status.put_subscriber(
            Subscriber("shop", "s", Channel.EMAIL, "ann@x.example", SubscriberState.ACTIVE, "n", "h", NOW, NOW, NOW)
        )
    world.turn()
    world.gateway = VerdictKind.GLOBAL
    world.turn(MINUTE)
    world.turn(MINUTE)
    world.now += 16 * MINUTE
    with store.transaction(read_only=True) as transaction:
        (incident,) = transaction.status.incidents("shop")
    assert scraped(world, store) == [
        'flyball_status_component{component="api",status="major_outage",status_page="shop"} 1.0',
        'flyball_status_component{component="login",status="operational",status_page="shop"} 1.0',
        'flyball_status_component_uptime_ratio{component="api",status_page="shop"} 0.5',
        'flyball_status_component_uptime_ratio{component="login",status_page="shop"} 1.0',
        'flyball_status_incidents{status_page="shop"} 0.0',
        f'flyball_status_update_overdue_seconds{{incident="{incident.id}",status_page="shop"}} 120.0',
        'flyball_status_drafts{status_page="shop"} 1.0',
        'flyball_status_subscribers{channel="email",state="active",status_page="shop"} 1.0',
    ]


def test_a_store_that_fails_leaves_the_scrape_whole(store: SqlStore) -> None:
    world = World(store, a_page())
    gone = open_store("sqlite:////nowhere/at/all.db")
    assert scraped(world, gone) == []
