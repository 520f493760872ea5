"""The pages on what the real rules of prices, budgets and unit costs recorded, from counters to the bar."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import numpy as np
import pytest

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from controlplane.model.spend import SpendQuestion
from controlplane.specfile import SourceFile, read
from finops.billed.adapters.importer import Importer
from finops.billed.model import CostSource, Term
from flyball.demo import servers
from flyball.money.declared import KINDS, MoneyDeclared, money_of
from flyball.money.past import write_past
from flyball.web.declared_money import DeclaredMoney
from flyball.web.state import Ledgers
from tests.flyball.web import money_world, world
from tests.flyball.web.test_console import words

START = datetime(2026, 9, 1, tzinfo=UTC)
NOW = datetime(2026, 9, 4, 12, tzinfo=UTC)
SINCE = timedelta(seconds=7, microseconds=123_456)  # clocks do not stop at whole minutes
FILES = b"""
apiVersion: flyball.dev/v1
kind: PriceMap
metadata: {name: prices}
spec:
  currency: USD
  items:
    - name: calls
      resource: request
      usage: {counter: calls_total}
      by: [service]
      prices: [{amount: 0.5, per: 1000}]
---
apiVersion: flyball.dev/v1
kind: Budget
metadata: {name: calls}
spec:
  amount: 600
  currency: USD
  window: month
  scope: {service: gateway}
---
apiVersion: flyball.dev/v1
kind: UnitCost
metadata: {name: calls}
spec:
  scope: {service: gateway}
  currency: USD
  units: {what: calls, counter: 'calls_total{service="gateway"}'}
  per: 1000
  target: 0.40
"""


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Three days and a half: the gateway served 700 calls a minute, neo4j 100, priced at 0.50 USD for 1,000."""
    folder = tmp_path_factory.mktemp("recorded")
    with servers.prometheus(folder / "prometheus", out_of_order="200d", retention="400d") as server:
        backend = PrometheusBackend(server.url)
        at = np.arange(round(START.timestamp()) - 3600, round(NOW.timestamp()) + 1, 60)
        with RemoteWriter(server.url) as writer:
            for service, calls in (("gateway", 700.0), ("neo4j", 100.0)):
                labels = encoded_labels({"__name__": "calls_total", "service": service})
                writer.write_columns([ColumnarSeries(labels, at * 1000, np.arange(len(at)) * calls)])
            declared, problems = money_of(read([SourceFile("money.yaml", FILES)], KINDS).documents)
            assert problems == ()
            write_past(declared, backend, writer, start=START, end=NOW)
        state = world.State(backend, world.a_store(folder, []), [], clock=world.FixedClock(NOW + SINCE))
        with world.serving(money_world.application(state, _money(declared, backend, folder))) as url:
            yield url
        backend.close()


def _money(declared: MoneyDeclared, backend: PrometheusBackend, folder: Path) -> money_world.Money:
    known = DeclaredMoney(lambda: declared, backend, folder / "no-bills")
    return money_world.Money(known.budgets(), known.unit_costs(), known.ledgers())


def test_a_budget_shows_what_its_rules_counted(console: str) -> None:
    found = httpx.get(f"{console}/api/v1/budgets/calls").json()
    spent = Decimal(700 * 60 * 84) / 1000 * Decimal("0.5")  # 1764 USD: calls × price
    assert float(found["spent"]) == pytest.approx(float(spent), rel=0.01)
    assert found["spent_ratio"] == pytest.approx(float(spent) / 600, rel=0.01)
    assert found["pace_ratio"] == pytest.approx(84 / 720, abs=0.001)
    assert float(found["hourly_spend"]) == pytest.approx(21, rel=0.01)
    assert found["burn_rates"]["1h"] == pytest.approx(21 / (600 / 720), rel=0.01)
    assert found["window_coverage_ratio"] == pytest.approx(1, abs=0.01)
    assert found["standing"] == "spent"
    history = [float(value) for _, value in found["history"]["spent"]]
    assert history == sorted(history)


def test_days_and_movers_come_from_the_ledger_of_the_same_rules(console: str) -> None:
    text = words(httpx.get(f"{console}/money/calls").text)
    assert "Another 21 USD goes every hour." in text
    assert "gateway 1,762 100 % 504" in text  # of the window, its share, on the last day
    text = words(httpx.get(f"{console}/money").text)
    assert "gateway no rows 1,764 +1,764 new USD" in text
    assert "neo4j no rows 252 +252 new USD" in text


def test_a_unit_cost_shows_what_its_rules_paired(console: str) -> None:
    found = httpx.get(f"{console}/api/v1/unit-costs").json()["unit_costs"][0]
    assert float(found["cost"]) == pytest.approx(0.5, rel=0.01)
    assert found["of_target_ratio"] == pytest.approx(1.25, rel=0.01)
    assert found["standing"] == "above_target"
    assert "1,000 calls cost 0.5 USD. 0.4 USD is wanted at most." in words(
        httpx.get(f"{console}/money/unit-costs/calls").text
    )


def test_a_billed_ledger_is_there_once_something_was_imported(tmp_path: Path) -> None:
    declared = [MoneyDeclared()]
    folder = tmp_path / "ledger"
    known = DeclaredMoney(lambda: declared[0], PrometheusBackend("http://127.0.0.1:9"), folder)
    assert known.ledgers() == Ledgers()
    folder.mkdir()
    billed = known.ledgers().billed
    assert billed is not None
    assert billed.spend(SpendQuestion(START, NOW, ("service",))).rows == ()
    (tmp_path / "bill.csv").write_text(
        "BilledCost,EffectiveCost,BillingCurrency,BillingPeriodStart,ChargePeriodStart,ChargePeriodEnd,"
        "ChargeCategory,ServiceName,Tags\n"
        "4,4,USD,2026-10-01T00:00:00Z,2026-10-02T00:00:00Z,2026-10-03T00:00:00Z,Usage,EC2,"
        '"{""squad"": ""search""}"\n'
    )
    source = CostSource("aws", str(tmp_path / "bill.csv"))
    assert not Importer(folder).run(source, NOW).refused
    question = SpendQuestion(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), ("team",))
    assert [row.key for row in billed.spend(question).rows] == [(None,)]
    declared[0] = MoneyDeclared(cost_sources=(replace(source, dimensions={"team": (Term(tag="squad"),)}),))
    assert [row.key for row in billed.spend(question).rows] == [("search",)]
