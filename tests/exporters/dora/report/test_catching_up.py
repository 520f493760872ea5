"""A report without a server follows today's policy, however old what was measured is."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.store import SqlStore
from exporters.dora.facts.daemon import FactsDaemon
from exporters.dora.measuring.daemon import MeasureDaemon
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.report import catching_up
from exporters.dora.report.making import Question, behind, make_report
from exporters.dora.report.model import Behind, By, Report
from tests.exporters.dora.facts.telling import AT, deployed, incident

NOW = AT + timedelta(hours=9)
BEFORE = DeliveryPolicy()
TODAY = DeliveryPolicy(attribution_window=timedelta(minutes=30), services={"checkout": "till"})
DAY = 24 * 60
OUTAGES = [
    told
    for weeks in range(5)
    for told in (
        deployed(f"d{weeks}", minutes=-weeks * 7 * DAY, version=str(weeks)),
        incident(f"i{weeks}", minutes=60 - weeks * 7 * DAY),
        incident(f"i{weeks}", "resolved", minutes=90 - weeks * 7 * DAY),
    )
]


def measured_before(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.delivery.take(OUTAGES, NOW)
    FactsDaemon(store, lambda: BEFORE).run_once(NOW)
    while not MeasureDaemon(store, lambda: BEFORE).run_once(NOW).is_done:
        pass


def report(store: SqlStore, policy: DeliveryPolicy) -> Report:
    question = Question(By.SERVICE, AT - timedelta(days=60), NOW)
    with store.transaction(read_only=True) as transaction:
        return make_report(transaction.delivery, question, policy, NOW)


def test_a_report_follows_the_policy_of_today_in_every_week(store: SqlStore) -> None:
    measured_before(store)
    before = [(row.metrics.scope.service, row.metrics.fail_rate.value) for row in report(store, BEFORE).rows]
    assert before == [("checkout", Decimal(1))]
    assert catching_up.catch_up(store, TODAY, NOW) == Behind(0, 0)
    found = report(store, TODAY)
    assert [(row.metrics.scope.service, row.metrics.fail_rate.value) for row in found.rows] == [("till", Decimal(0))]
    assert not found.behind


def test_what_follows_another_policy_is_behind_where_it_is_too_much(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured_before(store)
    assert not report(store, BEFORE).behind
    monkeypatch.setattr(catching_up, "MOST_EVENTS", 10)
    assert catching_up.catch_up(store, TODAY, NOW).events == len(OUTAGES)
    assert report(store, TODAY).behind.events == len(OUTAGES)


def test_days_that_other_windows_measured_are_behind(store: SqlStore) -> None:
    measured_before(store)
    wide = DeliveryPolicy(attribution_window=timedelta(hours=6))
    with store.transaction(read_only=True) as transaction:
        assert behind(transaction.delivery, wide, NOW) == Behind(0, 5)
    MeasureDaemon(store, lambda: wide).run_once(NOW)
    with store.transaction(read_only=True) as transaction:
        assert behind(transaction.delivery, wide, NOW) == Behind(0, 4)


def test_a_service_that_rests_has_a_row_with_a_frequency_of_zero(store: SqlStore) -> None:
    measured_before(store)
    question = Question(By.SERVICE, NOW - timedelta(hours=2), NOW)
    with store.transaction(read_only=True) as transaction:
        (row,) = make_report(transaction.delivery, question, BEFORE, NOW).rows
        nobody = make_report(transaction.delivery, replace(question, team="nobody"), BEFORE, NOW).rows
        elsewhere = make_report(transaction.delivery, replace(question, environments=("staging",)), BEFORE, NOW).rows
    assert (row.name, row.metrics.frequency.per_day.value, row.metrics.fail_rate.value) == ("checkout", 0, None)
    assert nobody == elsewhere == ()
