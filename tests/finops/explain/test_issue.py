"""Cost issues: one for each alert of a budget, one for each explained change, however often it is asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane import conventions as names
from controlplane.model.budget import Budget
from controlplane.model.event import JSON, Event
from controlplane.model.slo import CalendarUnit, CalendarWindow
from controlplane.model.source import SourcePosition
from controlplane.model.spend import SpendQuestion, SpendTable
from controlplane.ports import Transient
from controlplane.store import SqlStore, migrate, open_store
from finops.explain.daemon import CostIssueDaemon, Opened
from finops.explain.explaining import Outside, explain
from finops.explain.issue import issue_of_alert, issue_of_report
from tests.finops.explain.reporting import AFTER, BEFORE, END, MemoryLedger, question, row

FIRED_AT = datetime(2026, 11, 15, 10, 20, tzinfo=UTC)
NOW = FIRED_AT + timedelta(minutes=1)
MONTH = CalendarWindow(1, CalendarUnit.MONTH, "2024-01-01T00:00:00", "UTC")
LLM = Budget("llm", Decimal(5000), "USD", MONTH, SourcePosition("b.yaml", 1, 1), scope=(("service", ("llm",)),))


def _fired(alert: str = names.ALERT_BUDGET_BURN, budget: str = "llm", at: datetime = FIRED_AT) -> Event:
    labels: dict[str, JSON] = {"alertname": alert, "budget": budget, "severity": "page", "currency": "USD"}
    data: dict[str, JSON] = {"labels": labels, "annotations": {"summary": "llm burns its budget"}}
    return Event(f"alert.fired:{alert}:{budget}@{at.isoformat()}", names.EVENT_ALERT_FIRED, alert, at, data)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    url = f"sqlite:///{tmp_path}/flyball.db"
    migrate(url)
    store = open_store(url)
    yield store
    store.close()


def _append(store: SqlStore, *events: Event) -> None:
    with store.transaction() as transaction:
        transaction.events.append_all(events, NOW)


def _issues(store: SqlStore) -> list[Event]:
    with store.transaction(read_only=True) as transaction:
        return [each.event for each in transaction.events.after(0, 1000, (names.EVENT_COST_ISSUE,))]


class _Recent:
    """A ledger that knows the day before the alert, and none before that."""

    def spend(self, question: SpendQuestion) -> SpendTable:
        rows = [row(["llm", "tokens", "input"], "3")] if question.end > FIRED_AT - timedelta(hours=20) else []
        return SpendTable(question.by, tuple(rows), question.end)


class _Away:
    def spend(self, question: SpendQuestion) -> SpendTable:
        raise Transient("Prometheus is away")


def test_each_alert_of_a_budget_opens_one_issue_and_other_alerts_none(store: SqlStore) -> None:
    _append(store, _fired(), _fired("SLOErrorBudgetBurn"), _fired(names.ALERT_SPEND_SPIKE, "infra"))
    daemon = CostIssueDaemon(store)
    assert daemon.run_once(NOW) == Opened(2, 2)
    assert daemon.run_once(NOW) == Opened(0, 0)
    assert [issue.subject for issue in _issues(store)] == ["MC-COST llm", "MC-COST infra"]


def test_a_process_that_starts_again_opens_nothing_twice(store: SqlStore) -> None:
    _append(store, _fired())
    CostIssueDaemon(store).run_once(NOW)
    _append(store, _fired(at=FIRED_AT + timedelta(days=1)))
    assert CostIssueDaemon(store).run_once(NOW) == Opened(1, 1)
    assert len(_issues(store)) == 2


def test_what_an_earlier_process_explained_is_not_asked_again(store: SqlStore) -> None:
    class Counting(_Recent):
        asked = 0

        def spend(self, question: SpendQuestion) -> SpendTable:
            Counting.asked += 1
            return super().spend(question)

    _append(store, _fired())
    for _ in range(2):
        CostIssueDaemon(store, Outside(Counting()), lambda: [LLM]).run_once(NOW)
    assert Counting.asked == 2  # of both periods, once


def test_alerts_of_long_ago_get_an_issue_without_figures(store: SqlStore) -> None:
    _append(store, _fired())
    daemon = CostIssueDaemon(store, Outside(_Recent()), lambda: [LLM])
    assert daemon.run_once(FIRED_AT + timedelta(days=3)) == Opened(1, 1)


def test_an_issue_carries_what_explains_the_day_before_the_alert(store: SqlStore) -> None:
    _append(store, _fired())
    daemon = CostIssueDaemon(store, Outside(_Recent()), lambda: [LLM], "https://traces/{trace_id}")
    assert daemon.run_once(NOW) == Opened(1, 0)
    (issue,) = _issues(store)
    assert issue.data["code"] == "MC-COST"
    assert issue.data["about"]["alert"] == "BudgetBurn"  # type: ignore[index, call-overload]
    assert issue.data["explained"] is True
    (currency,) = issue.data["currencies"]  # type: ignore[misc, union-attr]
    assert (currency["before"], currency["after"], currency["change"]) == ("0", "3", "3")  # type: ignore[index, call-overload]


def test_an_explanation_that_cannot_be_had_keeps_no_issue_back(store: SqlStore) -> None:
    _append(store, _fired())
    assert CostIssueDaemon(store, Outside(_Away()), lambda: [LLM]).run_once(NOW) == Opened(1, 1)
    assert _issues(store)[0].data["explained"] is False


def test_the_issue_of_an_explained_change_has_the_same_id_whenever_it_is_opened() -> None:
    report = explain(Outside(MemoryLedger(BEFORE, AFTER)), question())
    first, again = (issue_of_report(report, now=at) for at in (END, END + timedelta(days=3)))
    assert first.id == again.id
    assert first.subject == "MC-COST all spend"
    other = explain(Outside(MemoryLedger(BEFORE, AFTER)), question(by=("tenant",)))
    assert issue_of_report(other, now=END).id != first.id


def test_issues_hold_no_floats(store: SqlStore) -> None:
    report = explain(Outside(MemoryLedger(BEFORE, AFTER)), question())

    def floats(value: JSON) -> bool:
        if isinstance(value, dict):
            return any(map(floats, value.values()))
        return any(map(floats, value)) if isinstance(value, list) else isinstance(value, float)

    assert not floats(dict(issue_of_report(report, now=END).data))


@pytest.mark.parametrize("labels", [None, "text", {"alertname": names.ALERT_BUDGET_SPENT}])
def test_odd_payloads_of_alerts_do_no_harm(labels: JSON) -> None:
    event = Event("x", names.EVENT_ALERT_FIRED, names.ALERT_BUDGET_SPENT, FIRED_AT, {"labels": labels})
    issue = issue_of_alert(event)
    assert issue is not None
    assert issue.subject == "MC-COST BudgetSpent"
