"""From FOCUS files through the import to a chargeback that ties out to the invoice: real files, a real ledger."""

import csv
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

import flyball.cli.commands  # noqa: F401 -- registers the commands
from controlplane.model.series import Sample, Series
from controlplane.model.source import SourcePosition
from exporters.unit_cost.model import UnitCost, Units
from finops.allocation.model import (
    CostAllocation,
    CostKey,
    CostKind,
    CsvUsage,
    PromqlUsage,
    QuantityUsage,
    SharesKey,
    Step,
    UsageKey,
)
from finops.billed.adapters.duckdb_ledger import open_ledger
from finops.billed.adapters.importer import Importer
from finops.billed.model import CostSource
from flyball.cli import app
from flyball.money.allocating import Sources
from flyball.money.showback_views import as_data
from flyball.money.showing_back import MonthReport, Wanted, month_report
from flyball.money.unit_costs import Asked, past_unit_cost
from flyball.showback_page import as_html

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 12, 3, 9, tzinfo=UTC)
COLUMNS = (
    "BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingAccountId", "BillingCurrency",
    "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory",
    "CommitmentDiscountStatus", "ConsumedQuantity", "ConsumedUnit", "ProviderName", "PublisherName", "ServiceName",
    "Tags",
)  # fmt: skip


class Calls:
    """A Prometheus that counted 3 calls of alpha for each one of beta, every day."""

    def query(self, expr: str, at: datetime) -> list[Sample]:
        raise NotImplementedError

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        days = [start + number * step for number in range((end - start) // step + 1)]
        return [Series({"tenant": name}, tuple((at, calls) for at in days)) for name, calls in CALLS.items()]


CALLS = {"alpha": 3.0, "beta": 1.0}
SOURCE = SourcePosition("allocation.yaml", 1, 1)
PLAN = CostAllocation(
    "tenants",
    "tenant",
    (
        Step("kafka", CostKind.SHARED, (("service", ("Kafka",)),), "tenant", UsageKey("calls")),
        Step("files", CostKind.SHARED, (("service", ("S3",)),), "tenant", UsageKey("bytes")),
        Step("seats", CostKind.SHARED, (("service", ("Desk",)),), "tenant", UsageKey("seats")),
        Step("unused", CostKind.COMMITMENT, (("commitment", ("Unused",)),), "tenant", CostKey(loaded=True)),
        Step("tax", CostKind.SHARED, (("category", ("Credit", "Tax")),), "tenant",
             SharesKey((("alpha", Decimal("0.75")), ("beta", Decimal("0.25"))))),
    ),
    SOURCE,
    (("calls", PromqlUsage("x", "tenant")), ("bytes", QuantityUsage((("service", ("Blob",)),), "GB")),
     ("seats", CsvUsage("seats.csv"))),
)  # fmt: skip


def charge(
    service: str,
    cost: str,
    *,
    tenant: str = "",
    day: int = 1,
    month: int = 11,
    billed: str | None = None,
    category: str = "Usage",
    commitment: str = "",
    quantity: str = "",
    currency: str = "USD",
) -> dict[str, str]:
    return dict(zip(COLUMNS, (
        cost if billed is None else billed, cost, cost, cost, "1", currency, f"2026-{month:02d}-01T00:00:00Z",
        f"2026-{month + 1:02d}-01T00:00:00Z", f"2026-{month:02d}-{day:02d}T00:00:00Z",
        f"2026-{month:02d}-{day + 1:02d}T00:00:00Z", category, commitment, quantity, "GB" if quantity else "", "AWS",
        "AWS", service, f'{{"tenant": "{tenant}"}}' if tenant else "{}",
    ), strict=True))  # fmt: skip


def bill() -> list[dict[str, str]]:
    rows = [
        charge("Kafka", "100.000000000001"), charge("S3", "50"), charge("Desk", "9"), charge("Mystery", "7.77"),
        charge("Blob", "1", tenant="alpha", quantity="1"), charge("Blob", "1", tenant="beta", quantity="4"),
        charge("Plan", "0", billed="80", category="Purchase"), charge("Plan", "60", billed="0", tenant="alpha"),
        charge("Plan", "20", billed="0", commitment="Unused"),
        charge("Tax", "13.37", category="Tax"), charge("Credits", "-5", category="Credit"),
        charge("Kafka", "10", month=10), charge("Blob", "2", month=10, tenant="alpha"),
        charge("Kafka", "3", currency="EUR"), charge("Blob", "1", currency="EUR", tenant="beta"),
    ]  # fmt: skip
    random.Random(4).shuffle(rows)
    return rows


def write_bill(folder: Path, rows: Sequence[dict[str, str]]) -> None:
    """One FOCUS file in a new folder."""
    folder.mkdir()
    with (folder / "focus.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def imported(folder: Path, rows: Sequence[dict[str, str]]) -> Sources:
    write_bill(folder / "bills", rows)
    (folder / "seats.csv").write_text("target,weight\nalpha,2\nbeta,1\n")
    outcome = Importer(folder / "ledger").run(CostSource("cloud", str(folder / "bills")), NOW)
    assert not outcome.refused, outcome.problems
    ledger = open_ledger(folder / "ledger")
    return Sources(ledger, Calls(), lambda name: (folder / name).read_bytes())


@pytest.fixture
def report(tmp_path: Path) -> MonthReport:
    return month_report(Wanted(NOVEMBER, PLAN, chargeback=True), imported(tmp_path, bill()))


def test_a_bill_becomes_accounts_that_tie_out(report: MonthReport) -> None:
    """Recomputed by hand: kafka by calls 3:1, S3 by gigabytes 1:4, desk by seats 2:1, and so on."""
    _, dollars = report.showback.statements
    own = [
        row for row in bill() if row["BillingPeriodStart"] == "2026-11-01T00:00:00Z" and row["BillingCurrency"] == "USD"
    ]
    assert Fraction(dollars.ledger) == sum(Fraction(row["EffectiveCost"]) for row in own)
    assert dollars.invoice is not None
    assert Fraction(dollars.invoice) == sum(Fraction(row["BilledCost"]) for row in own)
    assert Fraction(dollars.allocated) + Fraction(dollars.unallocated.total) == Fraction(dollars.ledger)
    assert dollars.unallocated.total == Decimal("7.77")
    alpha, beta = dollars.accounts
    direct = {"alpha": 61, "beta": 1}
    shared = {
        "alpha": Fraction("100.000000000001") * 3 / 4 + 10 + 6, "beta": Fraction("100.000000000001") / 4 + 40 + 3,
    }  # fmt: skip
    loaded = {name: direct[name] + shared[name] for name in direct}
    unused = {name: 20 * loaded[name] / sum(loaded.values()) for name in direct}
    tax = {"alpha": Fraction("8.37") * 3 / 4, "beta": Fraction("8.37") / 4}
    for account, name in ((alpha, "alpha"), (beta, "beta")):
        assert (account.target, account.direct) == (name, direct[name])
        assert abs(Fraction(account.shared) - shared[name] - tax[name]) <= Fraction(3, 10**12)
        assert abs(Fraction(account.commitment) - unused[name]) <= Fraction(1, 10**12)


def test_a_service_that_bills_gigabytes_and_requests_is_weighed_by_gigabytes(
    report: MonthReport, tmp_path: Path
) -> None:
    requests = {**charge("Blob", "0", tenant="alpha", quantity="1000000"), "ConsumedUnit": "Requests"}
    taxed = charge("Blob", "0", tenant="beta", category="Tax")
    (tmp_path / "mixed").mkdir()
    mixed = month_report(Wanted(NOVEMBER, PLAN), imported(tmp_path / "mixed", [*bill(), requests, taxed]))
    assert [each.shared for each in mixed.showback.statements[1].accounts] == [
        each.shared for each in report.showback.statements[1].accounts
    ]


def test_currencies_are_statements_of_their_own_and_months_are_compared(report: MonthReport) -> None:
    euros, dollars = report.showback.statements
    assert (euros.currency, euros.ledger, euros.unallocated.total, euros.before) == ("EUR", 4, 0, None)
    assert [(each.target, each.before) for each in dollars.accounts] == [
        ("alpha", Decimal("9.5")),
        ("beta", Decimal("2.5")),
    ]


def test_the_page_and_the_data_carry_the_same_sums(report: MonthReport) -> None:
    page = as_html(report, NOW)
    (_, dollars) = as_data(report)["currencies"]
    assert "The ledger has <strong>257.14 USD</strong>" in page
    assert "The invoice (BilledCost) says 257.14 USD" in page
    assert dollars["ledger"] == "257.140000000001"
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for account in dollars["accounts"]:
        sums["invoiced"] += sum((Decimal(line["rounded"]) for line in account["lines"]), Decimal(0))
    assert sums["invoiced"] == Decimal(dollars["invoiced"])


def test_an_estimated_ledger_is_not_asked_for_what_only_bills_know(tmp_path: Path) -> None:
    from finops.pricing.estimated import EstimatedLedger

    backend = Calls()
    sources = Sources(EstimatedLedger(backend), backend, lambda name: b"target,weight\n")
    plan = CostAllocation("p", "tenant", (PLAN.steps[0], *PLAN.steps[3:]), SOURCE, PLAN.usage[:1])
    backend.query = lambda expr, at: []  # type: ignore[method-assign]
    assert month_report(Wanted(NOVEMBER, plan, billed=False), sources).left_out == ("unused", "tax")


def test_a_unit_cost_from_the_bill_by_its_own_scope_there(tmp_path: Path) -> None:
    """Alpha's gigabytes cost 1 USD on the one day of which both are known: 3 calls."""
    unit_cost = UnitCost(
        "calls", "USD", Units("calls", counter="calls_total"), Decimal(1000), SOURCE, (("service", ("blobs",)),),
        billed_scope=(("service", ("Blob",)),), by=("tenant",),
    )  # fmt: skip
    sources = imported(tmp_path, bill())
    asked = Asked(NOVEMBER, datetime(2026, 12, 1, tzinfo=UTC), billed=True)
    past = past_unit_cost(unit_cost, asked, sources.ledger, sources.backend)
    assert past.until == datetime(2026, 11, 2, tzinfo=UTC)  # the ledger ends with the last charge
    assert [(row.group, row.days, row.cost, row.units) for row in past.rows] == [
        (("alpha",), 1, 1, 3), (("beta",), 1, 1, 1),
    ]  # fmt: skip
    assert past.rows[1].value == 1000
    live = past_unit_cost(unit_cost, replace(asked, billed=False), sources.ledger, sources.backend)
    assert [row.days for row in live.rows] == [0, 0]


WORKSPACE = """apiVersion: flyball.dev/v1
kind: CostSource
metadata: {name: cloud}
spec:
  path: bills
  dimensions: {service: ["tag:tenant", ServiceName]}
"""


def test_the_command_asks_by_the_dimensions_that_the_workspace_declares(tmp_path: Path) -> None:
    write_bill(tmp_path / "bills", bill())
    (tmp_path / "flyball.yaml").write_text(
        "apiVersion: flyball.dev/v1\nkind: Workspace\nmetadata: {name: here}\nspec: {}\n"
    )
    (tmp_path / "costs.yaml").write_text(WORKSPACE)
    done = CliRunner().invoke(app, ["cost", "import", str(tmp_path)])
    assert done.exit_code == 0, done.output
    shown = CliRunner().invoke(
        app, ["cost", "showback", str(tmp_path), "--month", "2026-11", "--by", "service", "--json"]
    )
    assert shown.exit_code == 0, shown.output
    euros, dollars = json.loads(shown.stdout)["currencies"]
    assert [each["target"] for each in euros["accounts"]] == ["Kafka", "beta"]
    assert {each["target"]: each["total"] for each in dollars["accounts"]}["alpha"] == "61"
