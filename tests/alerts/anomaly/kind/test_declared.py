"""AnomalyDetector documents: what they mean, and what is said of those that are wrong."""

import os
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.anomaly.kinds import ANOMALY_DETECTOR
from alerts.anomaly.model import (
    AnomalyDetector,
    CalendarTerms,
    CostQuery,
    Direction,
    Grouping,
    Opening,
    Output,
    Season,
    Sensitivity,
    Values,
)
from controlplane.model.source import SourcePosition
from controlplane.model.spend import Ledger
from controlplane.specfile import json_schema
from tests.alerts.anomaly.kind.detectors import HEAD, of_spec, read_text, told
from tests.alerts.documents import shown

GOLDEN = Path(__file__).parent / "golden"

FULL = """\
apiVersion: flyball.dev/v1
kind: AnomalyDetector
metadata:
  name: gateway-errors
  displayName: Errors of the gateway
  labels: {team: gateway, app.name: edge}
  annotations: {flyball.dev/runbook-url: "https://runbooks.example/errors", flyball.dev/owner: sre, ours: too}
spec:
  query: |
    sum by (service, region) (rate(errors_total[$__rate_interval]))
      / sum by (service, region) (rate(requests_total[$__rate_interval]))
  step: 10m
  season: {timeZone: Europe/Berlin, weekly: false}
  values: ratio
  direction: above
  leastDeviation: {absolute: 0.01, relative: 12.5%}
  denominator: {query: 'sum by (region, service) (rate(requests_total[10m]))', least: 0.5}
  sensitivity: high
  output: both
  calendars:
    - {holidays: de-by, like: sunday}
    - {name: sale, dates: ['2026-11-27', '2026-12-24/2026-12-26']}
    - {deployments: 30m, service: checkout}
  grouping: {by: [region], aggregate: mean, falseDiscoveryRate: 1}
  open: {steps: 3, of: 5, closeAfter: 6}
  severity: page
  maxSeries: 10000
"""


def test_every_field_is_read_as_it_is_written() -> None:
    found = read_text(FULL)
    assert shown(found.problems) == []
    assert found.values == (
        AnomalyDetector(
            name="gateway-errors",
            display_name="Errors of the gateway",
            query="sum by (service, region) (rate(errors_total[10m]))\n"
            "  / sum by (service, region) (rate(requests_total[10m]))",
            cost=None,
            step=timedelta(minutes=10),
            season=Season("Europe/Berlin", daily=True, weekly=False),
            values=Values.RATIO,
            direction=Direction.ABOVE,
            least_absolute=Decimal("0.01"),
            least_relative=Decimal("0.125"),
            denominator="sum by (region, service) (rate(requests_total[10m]))",
            least_denominator=Decimal("0.5"),
            sensitivity=Sensitivity.HIGH,
            outputs=(Output.POINT, Output.SUSTAINED),
            calendars=(
                CalendarTerms(country="DE-BY", like=6),
                CalendarTerms(
                    dates=((date(2026, 11, 27), date(2026, 11, 27)), (date(2026, 12, 24), date(2026, 12, 26))),
                    name="sale",
                ),
                CalendarTerms(deployments=timedelta(minutes=30), service="checkout"),
            ),
            grouping=Grouping(("region",), "mean", None),
            opening=Opening(3, 5, 6),
            severity="page",
            most_series=10_000,
            labels={"app_name": "edge", "team": "gateway"},
            runbook_url="https://runbooks.example/errors",
            source=SourcePosition("d.yaml", 4, 9),
        ),
    )


def test_a_query_is_all_that_has_to_be_written() -> None:
    (found,) = of_spec("query: sum(rate(x_total[$__rate_interval]))\nstep: 1m").values
    assert (found.query, found.display_name, found.severity) == ("sum(rate(x_total[5m]))", "traffic", "ticket")
    assert (found.season, found.opening, found.outputs) == (Season(), Opening(1, 1, 3), (Output.POINT,))
    assert of_spec("query: x").values[0].step == timedelta(minutes=5)
    assert of_spec("query: x\nopen: {steps: 4}").values[0].opening == Opening(4, 4, 3)


def test_costs_are_daily_and_of_one_currency_or_split_by_it() -> None:
    spec = "cost: {ledger: billed, by: [service], where: {team: [shop, shop, ''], region: eu}, currency: USD}"
    (found,) = of_spec(spec).values
    assert found.cost == CostQuery(Ledger.BILLED, ("service",), {"team": ("shop", ""), "region": ("eu",)}, "USD")
    assert (found.step, found.query) == (timedelta(days=1), "")
    (estimated,) = of_spec("cost: {ledger: estimated}\ngrouping: {by: [currency]}\nstep: 1d").values
    assert estimated.cost == CostQuery(Ledger.ESTIMATED)


def test_what_is_wrong_is_told_at_its_place_golden() -> None:
    specs = (GOLDEN / "specs.txt").read_text().rstrip("\n").split("\n---\n")
    text = "\n".join(f"{spec}\n" + "".join(f"  ! {line}\n" for line in told(spec) or ["fine"]) for spec in specs)
    if os.environ.get("FLYBALL_GOLDEN"):
        (GOLDEN / "problems.txt").write_text(text)
    assert text == (GOLDEN / "problems.txt").read_text()


def test_everything_is_told_at_once() -> None:
    text = (
        FULL.replace("10m\n", "7m\n")
        .replace("Berlin", "Berln")
        .replace("of: 5", "of: 2")
        .replace("closeAfter: 6", "closeAfter: 0")
    )
    text = text.replace("gateway-errors", "Gateway errors").replace("owner", "ownr").replace("team:", "severity:")
    text = text.replace("de-by", "de-bx").replace("maxSeries: 10000", "maxSeries: 0").replace("[region]", "[zone]")
    found = read_text(text)
    assert [each.split(" ")[1].rstrip(":") for each in shown(found.problems)] == [
        "metadata.name", "metadata.labels.severity", 'metadata.annotations["flyball.dev/ownr"]', "spec.step",
        "spec.season.timeZone", "spec.calendars[0].holidays", "spec.grouping.by[0]", "spec.open.of",
        "spec.open.closeAfter", "spec.maxSeries",
    ]  # fmt: skip
    assert found.values == ()


def test_what_is_written_in_the_wrong_shape_is_not_called_missing() -> None:
    assert told("query: [x]") == ["1:8 query: expected text, got a list"]


def test_labels_of_alerts_take_none_of_ours_nor_of_the_series() -> None:
    text = HEAD.replace("{name: traffic}", "{name: a, labels: {group: x, service: y, a.b: '1', a_b: '2', series: z}}")
    found = read_text(f"{text}  query: sum by (service) (x)\n")
    assert [each.split(" (")[0] for each in shown(found.problems)] == [
        "3:30 metadata.labels.group: `group` is a label that Flyball sets itself on alerts of detectors",
        "3:40 metadata.labels.service: the series have their own label `service`, which alerts would lose",
        "3:62 metadata.labels.a_b: another label is `a_b` in Prometheus, too",
        "3:72 metadata.labels.series: `series` is a label that Flyball sets itself on alerts of detectors",
    ]


def test_of_two_with_the_same_name_the_first_is_kept_and_the_other_told() -> None:
    one = f"{HEAD}  query: x\n"
    found = read_text(f"{one}---\n{one.replace('query: x', 'query: y')}")
    assert [each.query for each in found.values] == ["x"]
    assert ["already" in each.message or "twice" in each.message for each in found.problems] == [True]


def test_the_schema_takes_shares_as_numbers_and_as_text() -> None:
    schema = str(json_schema([ANOMALY_DETECTOR]))
    assert re.search(r"'relative'.{1,120}'number'", schema)
    assert "leastDeviation" in schema


@pytest.mark.parametrize(
    ("written", "share"), [("10%", "0.1"), ("10 %", "0.1"), ("0.1", "0.1"), (".5", "0.5"), ("150%", "1.5"), ("0", "0")]
)
def test_shares_are_percent_or_plain(written: str, share: str) -> None:
    found = of_spec(f"query: x\nleastDeviation: {{relative: {written}}}")
    assert found.values[0].least_relative == Decimal(share)


@given(st.text(max_size=30), st.sampled_from(("query", "step", "holidays", "dates", "relative", "zone")))
def test_any_text_is_read_or_told_and_nothing_else_happens(text: str, where: str) -> None:
    quoted = '"' + "".join(f"\\U{ord(each):08x}" for each in text if not 0xD800 <= ord(each) < 0xE000) + '"'
    spec = {
        "query": f"query: {quoted}",
        "step": f"query: x\nstep: {quoted}",
        "holidays": f"query: x\ncalendars: [{{holidays: {quoted}}}]",
        "dates": f"query: x\ncalendars: [{{dates: [{quoted}]}}]",
        "relative": f"query: x\nleastDeviation: {{relative: {quoted}}}",
        "zone": f"query: x\nseason: {{timeZone: {quoted}}}",
    }[where]
    found = of_spec(spec)
    assert bool(found.values) is not any(each.severity.value == "error" for each in found.problems)
