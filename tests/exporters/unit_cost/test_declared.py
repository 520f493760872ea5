"""UnitCost documents: what they mean, and every mistake at its place."""

from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.burn_rate import Urgency
from controlplane.problems import Severity
from exporters.unit_cost.model import NoUnitsAlert, TargetAlert, Units
from tests.exporters.unit_cost.unit_costs import told, unit_costs_of

WHOLE = """apiVersion: flyball.dev/v1
kind: UnitCost
metadata:
  name: jdbc-rows
  displayName: JDBC rows
  labels: {team: connectors}
  annotations: {flyball.dev/owner: team-ingest, flyball.dev/runbook-url: https://r.example/x}
spec:
  scope: {connector: jdbc, service: [a, b]}
  billedScope: {"aws:createdBy": x}
  currency: EUR
  units: {what: rows, query: 'sum by (tenant) (increase(rows_total[{{.window}}]))'}
  per: 1000
  by: [tenant]
  target: 0.10
  windows: [1d, 2h]
  alert: {severity: page, long: 12h, short: 30m, for: 5m, leastExcess: 2.5, keep: 0.9}
  spendWithoutUnits: {floorPerHour: 0.5, for: 1h}
"""
SHORT = """apiVersion: flyball.dev/v1
kind: UnitCost
metadata: {name: calls}
spec:
  currency: USD
  units: {what: calls, counter: 'calls_total'}
"""


def with_spec(*lines: str) -> str:
    """The short document with further or other lines in its spec."""
    kept = [line for line in SHORT.splitlines() if not any(line.split(":")[0] == f"  {x.split(':')[0]}" for x in lines)]
    return "\n".join([*kept, *(f"  {line}" for line in lines)]) + "\n"


def test_a_unit_cost_means_what_it_says() -> None:
    found = unit_costs_of(WHOLE)
    assert found.problems == ()
    (it,) = found.values
    assert (it.name, it.display_name, it.currency, it.per, it.by) == (
        "jdbc-rows",
        "JDBC rows",
        "EUR",
        1000,
        ("tenant",),
    )
    assert it.scope == (("connector", ("jdbc",)), ("service", ("a", "b")))
    assert it.billed_scope == (("aws:createdBy", ("x",)),)
    assert it.units == Units("rows", query="sum by (tenant) (increase(rows_total[{{.window}}]))")
    assert (it.target, it.windows) == (Decimal("0.10"), (timedelta(hours=2), timedelta(days=1)))
    assert it.alert == TargetAlert(
        Urgency.PAGE, timedelta(hours=12), timedelta(minutes=30), timedelta(minutes=5), Decimal("2.5"), Decimal("0.9")
    )
    assert it.no_units == NoUnitsAlert(Decimal("0.5"), timedelta(hours=1))
    assert (it.owner, it.runbook_url) == ("team-ingest", "https://r.example/x")
    assert it.labels == (("team", "connectors"),)


def test_little_needs_to_be_said() -> None:
    (it,) = unit_costs_of(SHORT).values
    assert (it.scope, it.by, it.per, it.target, it.no_units) == ((), (), 1, None, None)
    assert it.windows == (timedelta(hours=1), timedelta(days=1), timedelta(days=30))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("units: {what: x}", "6:10 spec.units: nothing is counted"),
        ("units: {what: x, counter: a, query: b}", "6:10 spec.units: counter and query exclude each other"),
        ("units: {what: x, counter: 'rate(a[5m])'}", "6:29 spec.units.counter: not a plain selector of counters"),
        (
            "units: {what: x, counter: 'a offset 5m'}",
            "6:29 spec.units.counter: a counter takes no `offset` and no `@`",
        ),
        ("units: {what: x, counter: 'a{'}", "6:31 spec.units.counter: the bracket `{` is never closed"),
        ("units: {what: x, query: 'sum(increase(a[5m]))'}", "6:27 spec.units.query: has no placeholder for its range"),
        ("units: {what: x, query: 'a[{{.window}}]'}", "6:27 spec.units.query: gives no instant vector"),
        ("spread: {what: s, counter: s_sum}", "7:3 spec.spread: spreads over the values of one label"),
        ("spread: {what: s}", "7:11 spec.spread: nothing is counted"),
        ("by: [tenant, tenant]", "7:16 spec.by[1]: `tenant` is there twice"),
        ("by: [currency]", "7:8 spec.by[0]: cannot be split by `currency`"),
        ("scope: {currency: USD}", "7:11 spec.scope.currency: a unit cost has one currency"),
        ("target: 0", "7:11 spec.target: must be more than 0, is 0"),
        ("target: -1", "7:11 spec.target: must be more than 0, is -1"),
        ("target: NaN", "7:11 spec.target: expected a number, got the text 'NaN'"),
        ("per: 1_000", "7:8 spec.per: expected a number, got the number 1_000"),
        ("windows: [1h, 60m]", "7:17 spec.windows[1]: 60m is there twice"),
        ("windows: [7m]", "7:13 spec.windows[0]: must be between 15m and 92d"),
        ("windows: [16m]", "7:13 spec.windows[0]: must be a multiple of 5 minutes"),
        ("windows: [soon]", "7:13 spec.windows[0]: `soon` is not a length"),
        ("alert: {long: 1h, short: 1h}", "7:17 spec.alert.long: the long window is not longer than the short one"),
    ],
)
def test_a_mistake_is_told_where_it_stands(line: str, problem: str) -> None:
    found = unit_costs_of(with_spec(line))
    assert problem in told(found.problems)
    assert found.values == ()


def test_an_alert_without_a_target_is_a_warning() -> None:
    found = unit_costs_of(with_spec("alert: {long: 2d}"))
    assert [(each.message, each.severity) for each in found.problems] == [
        ("changes nothing: without a target nobody is told", Severity.WARNING)
    ]
    assert len(found.values) == 1


def test_names_labels_and_addresses_are_checked() -> None:
    text = SHORT.replace("{name: calls}", "{name: Calls, labels: {a-b: x}, annotations: {flyball.dev/runbook-url: r}}")
    assert [each.field for each in unit_costs_of(text).problems] == [
        "metadata.name", 'metadata.annotations["flyball.dev/runbook-url"]', "metadata.labels.a-b",
    ]  # fmt: skip
