"""Quotas that are reached, and what /metrics says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest

from controlplane.conventions import EVENT_QUOTA_REACHED
from controlplane.model.usage import Aggregation, UsageCounter
from controlplane.ports import Transient
from controlplane.store import SqlStore
from exporters.usage.collector import UsageCollector
from exporters.usage.daemon import run_once
from exporters.usage.deliveries import from_body
from exporters.usage.intake import Intake
from exporters.usage.measuring import Measurer
from exporters.usage.ranking import to_show
from exporters.usage.terms import Quota, QuotaPeriod, UsageTerms
from exporters.usage.views import status_data, status_of, status_text
from tests.exporters.usage.metering import NOW, TERMS, body, sent, tokens

SHARES = (Decimal("0.8"), Decimal("0.9"), Decimal(1))
MONTHLY = Quota("inference", "tokens", frozenset(), Decimal(100), QuotaPeriod.MONTH, SHARES)
DAILY = Quota("burst", "tokens", frozenset({"alpha"}), Decimal(50), QuotaPeriod.DAY, (Decimal(1),))
WITH_QUOTAS = UsageTerms(TERMS.meters, (DAILY, MONTHLY))


class Fixed:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


def take(store: SqlStore, *events: object, now: datetime = NOW) -> None:
    delivery = from_body(body(*events), is_batch=True, measurer=Measurer(TERMS), now=now)
    assert not delivery.refused, delivery.faults
    Intake(store).take(delivery, now)


def told(store: SqlStore) -> list[tuple[str, str, str, str, str]]:
    with store.transaction(read_only=True) as transaction:
        events = [each.event for each in transaction.events.after(0, 100, (EVENT_QUOTA_REACHED,))]
    return [
        (str(e.data["quota"]), e.subject, str(e.data["period"]), str(e.data["threshold"]), str(e.data["used"]))
        for e in events
    ]


def test_each_threshold_is_told_once_a_period(store: SqlStore) -> None:
    take(store, tokens(1, "79.9", time="2026-11-01T00:00:00Z"))
    assert run_once(store, WITH_QUOTAS, NOW).quota_events == 0
    take(store, tokens(2, "0.1", time="2026-11-02T00:00:00Z"))
    assert run_once(store, WITH_QUOTAS, NOW).quota_events == 1
    assert run_once(store, WITH_QUOTAS, NOW).quota_events == 0
    take(store, tokens(3, "70", time="2026-11-03T00:00:00Z"), tokens(4, "85", subject="beta"))
    assert run_once(store, WITH_QUOTAS, NOW).quota_events == 3
    assert told(store) == [
        ("inference", "alpha", "2026-11", "0.8", "80"),
        ("inference", "alpha", "2026-11", "0.9", "150"),
        ("inference", "alpha", "2026-11", "1", "150"),
        ("inference", "beta", "2026-11", "0.8", "85"),
    ]


def test_a_daily_quota_begins_anew_at_midnight_and_yesterdays_usage_may_come_today(store: SqlStore) -> None:
    take(store, tokens(1, 49, time="2026-11-19T23:59:59Z"), tokens(2, 49, time="2026-11-20T00:00:00Z"))
    assert run_once(store, replace(WITH_QUOTAS, quotas=(DAILY,)), NOW).quota_events == 0
    take(store, tokens(3, 1, time="2026-11-19T12:00:00Z"))
    run_once(store, replace(WITH_QUOTAS, quotas=(DAILY,)), NOW)
    assert told(store) == [("burst", "alpha", "2026-11-19", "1", "50")]


def exposition(store: object, terms: UsageTerms = WITH_QUOTAS) -> list[str]:
    registry = CollectorRegistry(auto_describe=True)
    registry.register(UsageCollector(store, lambda: terms, Fixed()))  # type: ignore[arg-type]
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_metrics_come_from_the_store_with_exemplars_and_survive_a_restart(store: SqlStore) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    take(store, tokens(1, "60.5", traceparent=f"00-{trace}-00f067aa0ba902b7-01"), tokens(2, 20, subject="beta"))
    take(store, tokens(1, "60.5"), sent(3, type="unknown"), sent(4, type="db.sampled", data={"open": 3}))
    run_once(store, WITH_QUOTAS, NOW)
    take(store, tokens(5, 5), tokens(6, 7, subject="gamma"))
    lines = exposition(store)
    assert lines == exposition(store)
    assert 'flyball_usage_quantity_total{meter="tokens",tenant="beta"} 20.0' in lines
    assert (
        f'flyball_usage_quantity_total{{meter="tokens",tenant="alpha"}} 65.5 # {{trace_id="{trace}"}} 60.5 1795168800.0'
        in lines
    )
    assert f'flyball_usage_quantity_total{{meter="tokens",tenant="other"}} 87.5 # {{trace_id="{trace}"}}' in lines[0]
    assert 'flyball_usage_events_total{outcome="accepted"} 5.0' in lines
    assert 'flyball_usage_events_total{outcome="duplicate"} 1.0' in lines
    assert 'flyball_usage_events_total{outcome="unknown_type"} 1.0' in lines
    assert 'flyball_usage_events_total{outcome="refused"} 0.0' in lines
    assert 'flyball_usage_quota_used_ratio{quota="burst",tenant="alpha"} 1.31' in lines
    assert 'flyball_usage_quota_used_ratio{quota="inference",tenant="other"} 0.07' in lines
    assert not any("peak" in line for line in lines)


def test_without_the_store_nothing_is_said_rather_than_0() -> None:
    class Gone:
        @contextmanager
        def transaction(self, **_: Any) -> Iterator[None]:
            raise Transient("gone")
            yield

    assert exposition(Gone()) == []


def counter(tenant: str, events: int) -> UsageCounter:
    return UsageCounter(tenant, "tokens", Aggregation.SUM, Decimal(events), events)


def test_the_largest_tenants_are_shown_and_a_place_changes_hands_only_for_one_twice_as_large() -> None:
    counters = [counter("", 99), counter("a", 10), counter("b", 5), counter("c", 7)]
    assert to_show(counters, {"a": False, "b": False, "c": False}, 2) == ["a", "c"]
    assert to_show(counters, {"a": True, "b": True, "c": False}, 2) == ["a", "b"]
    grown = [*counters[:3], counter("c", 11)]
    assert to_show(grown, {"a": True, "b": True, "c": False}, 2) == ["a", "c"]
    assert to_show([], {}, 2) == []


def test_status_shows_events_months_and_quotas(store: SqlStore) -> None:
    assert "No usage yet" in status_text(status_of(store, TERMS, NOW))
    take(store, tokens(1, 60), tokens(2, 90, subject="beta"))
    status = status_of(store, WITH_QUOTAS, NOW)
    text = status_text(status)
    assert "accepted 2" in text
    assert "2026-11  open" in text
    assert text.index("burst      alpha") < text.index("inference  beta")
    data = status_data(status)
    assert data["quotas"] == [
        {"quota": "burst", "tenant": "alpha", "period": "2026-11-20", "used": "60", "limit": "50", "ratio": "1.2"},
        {"quota": "inference", "tenant": "alpha", "period": "2026-11", "used": "60", "limit": "100", "ratio": "0.6"},
        {"quota": "inference", "tenant": "beta", "period": "2026-11", "used": "90", "limit": "100", "ratio": "0.9"},
    ]


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=11)])
def test_a_turn_without_usage_does_nothing_but_open_the_month(store: SqlStore, ahead: timedelta) -> None:
    turn = run_once(store, WITH_QUOTAS, NOW + ahead)
    assert (len(turn.moved), turn.closed, turn.quota_events, turn.stuck) == (1, (), 0, "")
