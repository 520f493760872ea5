"""The bills that the demo writes: FOCUS files whose sums tie to what the platform spent."""

import csv
import gzip
import io
import json
import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.model.spend import SpendQuestion
from finops.billed.adapters.duckdb_ledger import open_ledger
from flyball.demo import bills
from flyball.demo.cost_files import BILLED_RATIO, COLUMNS, EXPORT, months_until, write_cost_files
from flyball.demo.folder import DemoFolder
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.simulation import Simulation
from flyball.demo.platform.spending import Bought, days_between, spend_of

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SEAM = int(NOW.timestamp() // 60)
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "intelgraph"
Row = dict[str, str]


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return Simulation(INTELGRAPH, seed=1, start=SEAM - 1440, seam=SEAM)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, simulation: Simulation) -> Path:
    folder = tmp_path_factory.mktemp("costs")
    write_cost_files(folder, simulation, INTELGRAPH, NOW)
    return folder


def rows_of(content: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def aws(folder: Path, month: str) -> list[Row]:
    """The rows of the files that the month's manifest names."""
    root = folder / "aws" / EXPORT
    manifest = json.loads((root / "metadata" / f"BILLING_PERIOD={month}" / f"{EXPORT}-Manifest.json").read_text())
    names = [name.removeprefix(f"s3://intelgraph-billing/{EXPORT}/") for name in manifest["dataFiles"]]
    assert sorted(root.glob(f"data/BILLING_PERIOD={month}/*")) == [root / name for name in names]
    return [row for name in names for row in rows_of(gzip.decompress((root / name).read_bytes()))]


def openai(folder: Path, month: str) -> list[Row]:
    return rows_of((folder / "openai" / f"openai-{month}.csv").read_bytes())


def total(rows: list[Row], column: str = "EffectiveCost") -> Decimal:
    return sum((Decimal(row[column]) for row in rows), start=Decimal(0))


def estimated(simulation: Simulation, first: date, end: date) -> dict[Bought, Decimal]:
    sums = dict.fromkeys(Bought, Decimal(0))
    for day in days_between(first, end):
        for spend in spend_of(simulation, day):
            sums[spend.bought] += spend.usd
    return sums


@pytest.mark.parametrize(
    ("month", "first", "end"),
    [("2026-10", date(2026, 10, 1), date(2026, 11, 1)), ("2026-11", date(2026, 11, 1), date(2026, 11, 20))],
)
def test_effective_cost_is_four_percent_above_the_estimate(
    folder: Path, simulation: Simulation, month: str, first: date, end: date
) -> None:
    sums = estimated(simulation, first, end)
    infrastructure = sums[Bought.NODE] + sums[Bought.EGRESS]
    assert total(aws(folder, month)) == pytest.approx(BILLED_RATIO * infrastructure, abs=Decimal("0.01"))
    whole = [row for row in openai(folder, month) if row["ChargeDescription"] != "kept by hand"]
    assert total(whole) == pytest.approx(BILLED_RATIO * sums[Bought.TOKENS], abs=Decimal("0.01"))


def test_what_is_billed_of_a_whole_month_is_what_is_effective(folder: Path) -> None:
    rows = aws(folder, "2026-10")
    assert total(rows, "BilledCost") == pytest.approx(total(rows), abs=Decimal("0.01"))


def test_every_category_of_charges_is_there(folder: Path) -> None:
    rows = aws(folder, "2026-11")
    sums = {one: total([row for row in rows if row["ChargeCategory"] == one]) for one in ("Credit", "Tax", "Usage")}
    assert sums["Credit"] < 0 < sums["Tax"] < sums["Usage"]
    (purchase,) = (row for row in rows if row["ChargeCategory"] == "Purchase")
    assert (Decimal(purchase["BilledCost"]) > 4000, purchase["EffectiveCost"]) == (True, "0")
    assert {row["CommitmentDiscountStatus"] for row in rows} == {"", "Used", "Unused"}


def test_rows_name_service_team_and_tenant_where_they_are_known(folder: Path) -> None:
    rows = aws(folder, "2026-11")
    tags = [json.loads(row["Tags"]) for row in rows if row["ServiceName"] == "AWS Data Transfer"]
    assert {one["tenant"] for one in tags} == {tenant.name for tenant in INTELGRAPH.tenants}
    assert {one["service"] for one in tags} == {"graphql-gateway", "subscriptions", "exports"}
    assert {one["team"] for one in tags} == {"team-edge", "team-trust"}


def test_faults_are_those_of_books_kept_by_hand(folder: Path) -> None:
    rows = openai(folder, "2026-11")
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "usage"}
    assert any(row["BilledCost"] == "NaN" for row in rows)
    assert any(row["ConsumedQuantity"].startswith("-") for row in rows)
    assert any(not row["ChargePeriodStart"].endswith("Z") for row in rows)
    assert any(' service"' in row["Tags"] for row in rows)
    assert any(row["CommitmentDiscountId"] == "NULL" for row in rows)
    assert sum(row["ChargeDescription"] == "kept by hand" for row in rows) < 0.02 * len(rows)


def test_the_same_history_gives_the_same_bytes(folder: Path, simulation: Simulation, tmp_path: Path) -> None:
    write_cost_files(tmp_path, simulation, INTELGRAPH, NOW + timedelta(hours=3))
    written = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    assert written == [path.relative_to(tmp_path) for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    for path in written:
        assert (folder / path).read_bytes() == (tmp_path / path).read_bytes()
    assert set(openai(folder, "2026-10")[0]) == set(COLUMNS)


@pytest.mark.parametrize(
    ("today", "months"),
    [
        (date(2026, 11, 20), ["2026-10", "2026-11"]),
        (date(2026, 12, 1), ["2026-10", "2026-11"]),
        (date(2026, 12, 2), ["2026-11", "2026-12"]),
        (date(2027, 1, 1), ["2026-11", "2026-12"]),
    ],
)
def test_bills_reach_as_far_as_yesterday(today: date, months: list[str]) -> None:
    made = months_until(today)
    assert [month.name for month in made] == months
    assert made[1].end == today
    assert made[0].end == made[1].first


def test_the_bills_are_imported_and_tie_out(tmp_path: Path, simulation: Simulation) -> None:
    demo = DemoFolder(tmp_path / "demo")
    shutil.copytree(EXAMPLE, demo.workspace)
    bills.write_bills(demo, simulation, INTELGRAPH, NOW)
    shares: list[float] = []
    assert bills.import_bills(demo, NOW, shares.append) > 2_000
    assert shares == [0.5, 1.0]
    ledger = open_ledger(demo.workspace / ".flyball" / "cost-ledger")
    november = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    table = ledger.spend(SpendQuestion(*november, by=("provider",)))
    sums = estimated(simulation, date(2026, 11, 1), date(2026, 11, 20))
    billed = {row.key[0]: row.effective for row in table.rows}
    infrastructure = sums[Bought.NODE] + sums[Bought.EGRESS]
    assert billed["AWS"] == pytest.approx(BILLED_RATIO * infrastructure, abs=Decimal("0.01"))
    assert billed["OpenAI"] == pytest.approx(BILLED_RATIO * sums[Bought.TOKENS], abs=Decimal("5"))


def test_a_demo_without_a_past_looks_for_no_bills(tmp_path: Path) -> None:
    demo = DemoFolder(tmp_path / "demo")
    shutil.copytree(EXAMPLE, demo.workspace)
    bills.leave_out_bills(demo)
    assert not [path for path in demo.workspace.rglob("*.yaml") if "s3://" in path.read_text()]
    assert (demo.workspace / "money" / "budgets.yaml").exists()
