"""Tables of a ledger, drivers, changes and traces as one report; and what it says when something cannot be asked."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane import conventions as names
from controlplane.model.event import JSON, Event
from controlplane.model.exemplar import Exemplar
from controlplane.model.series import Sample, Series
from controlplane.model.spend import Ledger
from controlplane.ports import Permanent, Transient
from controlplane.store import SqlStore, migrate, open_store
from finops.explain.changes import change_of, joined, new_versions
from finops.explain.explaining import Outside, Report, explain
from finops.explain.model import Change, Effects
from finops.explain.tables import Asked, Periods, explanations, fetch_tables
from finops.explain.tracing import largest
from finops.explain.views import as_data, as_lines, csv_columns, csv_rows, signed, trace_url
from tests.finops.explain.reporting import AFTER, BEFORE, END, START, WEEK, MemoryLedger, question, row

AT = datetime(2026, 11, 9, 12, tzinfo=UTC)


class _Metrics:
    """Requests of both periods, and a version of api that came up."""

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure

    def query(self, expr: str, at: datetime) -> list[Sample]:
        assert "604800s" in expr
        requests = 700.0 if at == END else 350.0
        return [Sample({"service": "api"}, at, requests), Sample({"service": "llm"}, at, float("nan"))]

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        if self._failure:
            raise self._failure
        old = Series({"service": "api", "version": "1.4.0"}, ((start, 1.0), (AT, 1.0)))
        return [Series({"service": "api", "version": "1.5.0"}, ((AT, 1.0),)), old]


class _Exemplars:
    def exemplars(self, selector: str, start: datetime, end: datetime) -> Sequence[Exemplar]:
        if selector != '{service="api"}':
            return []
        labels = [{"trace_id": f"{number:032x}"} for number in range(1, 6)]
        slow = [Exemplar({"__name__": "seconds"}, label, AT, float(at)) for at, label in enumerate(labels)]
        return [*slow, *slow, Exemplar({}, {"trace_id": "not one"}, AT, 99.0), Exemplar({}, {}, AT, 99.0)]


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    url = f"sqlite:///{tmp_path}/flyball.db"
    migrate(url)
    return open_store(url)


def _event(kind: str, at: datetime, subject: str = "api", data: Mapping[str, JSON] | None = None) -> Event:
    return Event(f"{kind}:{subject}:{at.isoformat()}", kind, subject, at, data or {})


def _report(**outside: object) -> Report:
    return explain(Outside(MemoryLedger(BEFORE, AFTER), **outside), question())  # type: ignore[arg-type]


def test_a_report_divides_usage_by_group_and_leaves_taxes_apart() -> None:
    (found,) = _report().explanations
    assert (found.before, found.after, found.change) == (99, 226, 127)
    api, llm, none = sorted(found.groups, key=lambda mover: mover.group[0] or "~")
    assert api.effects == Effects(mix=Decimal(84))
    assert llm.effects == Effects(usage=Decimal(25), price=Decimal(15))
    assert none.effects == Effects(other=Decimal(3))
    assert found.effects.total == 127


def test_a_driver_tells_volume_from_efficiency_where_it_is_known() -> None:
    report = explain(
        Outside(MemoryLedger(BEFORE, AFTER), _Metrics()), question(), driver="sum by (service) (increase(x[$__window]))"
    )
    (found,) = report.explanations
    api = next(mover for mover in found.groups if mover.group == ("api",))
    assert api.effects.usage == 0
    assert api.effects.volume > 0 > api.effects.efficiency
    assert (api.effects.volume, api.effects.efficiency, api.effects.mix) == (84, -84, 84)
    assert found.undriven == (("llm",),)


def test_the_ledger_is_asked_for_two_periods_of_the_same_length() -> None:
    ledger = MemoryLedger(BEFORE, AFTER)
    explain(Outside(ledger), question())
    assert [(each.start, each.end) for each in ledger.asked] == [(START - WEEK, START), (START, END)]
    assert {each.by for each in ledger.asked} == {("service", "sku", "category")}


def test_a_day_can_be_named_to_compare_with() -> None:
    periods = Periods.of(START, END, datetime(2026, 10, 1, tzinfo=UTC))
    assert (periods.against_start, periods.against_end) == (
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2026, 10, 8, tzinfo=UTC),
    )


def test_what_the_invoice_says_can_be_explained_instead_of_what_is_amortised() -> None:
    (found,) = explain(Outside(MemoryLedger(BEFORE, AFTER)), question(cost="billed")).explanations
    assert found.change == 1270


def test_currencies_are_never_added() -> None:
    ledger = MemoryLedger([], [row(["api", "vm", "Usage"], "5", "1", "h", "EUR"), *AFTER])
    found = explanations(fetch_tables(ledger, question()))
    assert [each.currency for each in found] == ["EUR", "USD"]
    assert found[0].effects == Effects(new=Decimal(5))


def test_the_event_log_and_build_info_tell_what_was_changed(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.events.append_all(
            [
                _event(
                    names.EVENT_FLAG_CHANGED, START + timedelta(days=1), "llm-long-context", {"from": "off", "to": "on"}
                ),
                _event(names.EVENT_TIER_CHANGED, START + timedelta(days=2), "platform", {"from": 0, "to": 1}),
                _event(names.EVENT_DEPLOYED, AT + timedelta(minutes=20), "api", {"version": "1.5.0"}),
                _event(names.EVENT_DEPLOYED, END + timedelta(days=1), "api", {"version": "1.6.0"}),
                _event(names.EVENT_ALERT_FIRED, START, "BudgetBurn"),
            ],
            END,
        )
    changes = _report(store=store, metrics=_Metrics()).changes
    assert [(each.kind, each.subject, each.detail) for each in changes] == [
        (names.EVENT_FLAG_CHANGED, "llm-long-context", "from off, to on"),
        (names.EVENT_DEPLOYED, "api", "version 1.4.0 → 1.5.0"),
        (names.EVENT_TIER_CHANGED, "platform", "from 0, to 1"),
    ]
    store.close()


def test_traces_of_the_services_that_moved_most_are_the_slowest_ones() -> None:
    traces = _report(exemplars=_Exemplars()).traces
    assert [(trace.service, trace.value, int(trace.trace_id, 16)) for trace in traces] == [
        ("api", 4.0, 5),
        ("api", 3.0, 4),
        ("api", 2.0, 3),
    ]
    assert largest("api", []) == []


def test_what_cannot_be_asked_is_said_and_the_rest_is_told() -> None:
    report = _report(metrics=_Metrics(Transient("Prometheus is away")))
    assert report.explanations[0].change == 127
    assert report.missing == ("versions of services: Prometheus is away",)
    assert "Prometheus is away" in "\n".join(as_lines(report))


def test_a_ledger_that_cannot_be_read_explains_nothing() -> None:
    class Broken:
        def spend(self, question: object) -> None:
            raise Permanent("no such dimension")

    with pytest.raises(Permanent, match="no such dimension"):
        explain(Outside(Broken()), question())  # type: ignore[arg-type]


def test_a_version_that_was_there_from_the_begin_is_no_deployment() -> None:
    series = [Series({"service": "api", "version": "1"}, ((START, 1.0),)), Series({"version": "2"}, ((AT, 1.0),))]
    assert list(new_versions(series, START + timedelta(minutes=5))) == []


def test_a_deployment_that_is_told_twice_stands_once() -> None:
    told = Change(AT, names.EVENT_DEPLOYED, "api", "version 2")
    seen = Change(AT + timedelta(minutes=5), names.EVENT_DEPLOYED, "api", "version 1 → 2")
    other = Change(AT, names.EVENT_DEPLOYED, "web", "version 2")
    assert joined([told], [seen, other]) == (told, other)


def test_an_events_data_is_bounded_and_printable() -> None:
    change = change_of(_event(names.EVENT_FLAG_CHANGED, AT, "f\x1b[31m" + "x" * 500, {"to": "y" * 500}))
    assert len(change.subject) == len(change.detail) == 120
    assert "\x1b" not in change.subject


def test_changes_of_flags_and_tiers_are_told_in_their_own_words() -> None:
    flag = change_of(_event(names.EVENT_FLAG_CHANGED, AT, "batch-frozen", {"from": False, "to": True}))
    assert flag.detail == "from false, to true"
    tier = change_of(_event(names.EVENT_TIER_CHANGED, AT, "shop", {"from": 0, "to": 1, "tier": 1, "reason": "burns"}))
    assert tier.detail == "from 0, to 1, reason burns"


def test_lines_fit_a_terminal_and_say_effects_movers_changes_and_notes() -> None:
    text = list(as_lines(_report(metrics=_Metrics(), exemplars=_Exemplars()), traces_at="https://t/{trace_id}"))
    assert text[0] == "2026-11-08 … 2026-11-15 against 2026-11-01 … 2026-11-08, billed"
    assert "USD  99.00 → 226.00   +127.00 (+128.28 %)" in text
    assert any(line.startswith("  mix") and "+84.00" in line for line in text)
    assert any("version 1.4.0 → 1.5.0" in line for line in text)
    assert f"https://t/{5:032x}" in "\n".join(text)
    assert any("12.00 USD has no quantity" in line for line in text)
    table = [line for line in text if line.startswith(("  SERVICE", "  api", "  llm", "  (none)"))]
    assert max(map(len, table)) <= 80


def test_a_ledger_that_ends_too_early_is_said() -> None:
    report = explain(Outside(MemoryLedger(BEFORE, AFTER, END - timedelta(days=1))), question())
    assert any("the ledger ends at 2026-11-14 00:00 UTC" in line for line in as_lines(report))


def test_that_the_estimates_of_a_short_time_are_coarse_is_said() -> None:
    def told(ledger: Ledger, hours: int) -> bool:
        asked = Asked(Periods.of(END - timedelta(hours=hours), END), ledger, ("service",), {}, "effective")
        return any("periods this short" in line for line in as_lines(Report(asked, ())))

    assert told(Ledger.ESTIMATED, 1)
    assert not told(Ledger.ESTIMATED, 6)
    assert not told(Ledger.BILLED, 1)


def test_nothing_spent_is_said() -> None:
    text = "\n".join(as_lines(explain(Outside(MemoryLedger([], [], None)), question())))
    assert "Nothing was spent in either period" in text


def test_data_and_rows_carry_exact_decimals_as_text() -> None:
    report = _report()
    currency = as_data(report)["currencies"][0]  # type: ignore[index]
    assert currency["change"] == "127"  # type: ignore[index]
    rows = list(csv_rows(report))
    assert csv_columns(("service",))[:5] == ("currency", "service", "before", "after", "change")
    assert [each["change"] for each in rows] == ["84", "40", "3"]
    assert Decimal(rows[1]["usage"]) + Decimal(rows[1]["price"]) == 40


def test_money_has_a_proper_sign_and_a_trace_its_place() -> None:
    assert [signed(Decimal(each)) for each in ("1234.5", "-12345.6", "0.001")] == ["+1,234.50", "−12,346", "0.00"]
    assert trace_url("https://t/{trace_id}", "ab") == "https://t/ab"
    assert trace_url("https://t/", "ab") == ""
