"""`flyball cost unit` on a real Prometheus."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from flyball.cli.cost.unit import unit
from flyball.demo.servers import Server
from tests.flyball.cost_history import FIRST, MONTH, TODAY, days_of_month, remembering, write_workspace

app = typer.Typer()
app.command()(unit)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with remembering(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, server: Server) -> Path:
    return write_workspace(tmp_path, server)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def groups(result: Result) -> dict[str | None, dict[str, Any]]:
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)
    return {each["group"].get("tenant"): each for each in found["groups"]}


def test_money_and_units_of_the_same_days(workspace: Path) -> None:
    """Alpha pays 0.2 USD for 3,000 events, beta the same for 1,000; what has no tenant has no events."""
    found = groups(run("ingest", workspace, "--from", f"{MONTH:%Y-%m-%d}", "--to", f"{FIRST:%Y-%m-%d}", "--json"))
    days = days_of_month()
    assert {name: each["days"] for name, each in found.items()} == {"alpha": days, "beta": days, None: 0}
    assert Decimal(found["alpha"]["cost"]) == pytest.approx(Decimal("0.2") * 288 * days)
    assert Decimal(found["alpha"]["units"]) == pytest.approx(3000 * 288 * days, rel=Decimal("0.0001"))
    assert Decimal(found["alpha"]["value"]) == pytest.approx(Decimal("0.2") / 3, rel=Decimal("0.0001"))
    assert Decimal(found["beta"]["ofTarget"]) == pytest.approx(2, rel=Decimal("0.0001"))
    assert found[None]["value"] is None
    assert Decimal(found[None]["costWithoutUnits"]) == pytest.approx(Decimal("0.1") * 288 * days)


def test_the_day_that_is_not_over_is_left_out(workspace: Path) -> None:
    result = run("ingest", workspace, "--since", "3d", "--json")
    (found,) = json.loads(result.stdout)
    assert found["to"] == f"{TODAY:%Y-%m-%dT00:00:00Z}"
    assert groups(result)["alpha"]["days"] == 3


def test_another_split_and_allocated_money(workspace: Path) -> None:
    """Kafka's 0.4 USD by events 3:1, and half of what has no tenant: alpha bears 0.2 of ingest + 0.05 of it."""
    arguments = ("ingest", workspace, "--from", f"{MONTH:%Y-%m-%d}", "--to", f"{FIRST:%Y-%m-%d}", "--json")
    found = groups(run(*arguments, "--allocation", "tenants"))
    assert Decimal(found["alpha"]["value"]) == pytest.approx(Decimal("0.25") / 3, rel=Decimal("0.0001"))
    whole = groups(run(*arguments, "--by", "connector"))
    assert Decimal(whole[None]["costWithoutUnits"]) > 0  # the money has no connector, so it meets no units


def test_people_read_a_table_that_says_what_is_above_and_what_is_missing(workspace: Path) -> None:
    result = run(workspace, "--since", "2d")
    lines = result.stdout.splitlines()
    assert lines[0] == "Ingest <b>: USD for 1,000 ingested events"
    assert (
        lines[1]
        == f"{TODAY - timedelta(days=2):%Y-%m-%d} to {TODAY - timedelta(days=1):%Y-%m-%d}, UTC, 2 days; target 0.1 USD"
    )
    assert lines[3].split() == ["tenant", "cost,", "USD", "units", "per", "1,000", "of", "target"]
    assert lines[4].split()[:1] == ["alpha"]
    assert lines[5].split()[-3:] == ["200", "%", "▲"]
    assert "Above the target (▲): beta." in lines
    assert "Left out: 57.6 USD of days without known units." in lines
    assert max(map(len, lines)) <= 80


def test_csv_has_a_row_for_each_day_and_group(workspace: Path) -> None:
    result = run("ingest", workspace, "--since", "2d", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["day"], row["group"]) for row in rows][:3] == [
        (f"{TODAY - timedelta(days=2):%Y-%m-%d}", name) for name in ("alpha", "beta", "(none)")
    ]
    assert rows[2]["units"] == rows[2]["unit_cost_value"] == ""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nonsense",), 1, "no UnitCost is named `nonsense`: there is ingest"),
        (("ingst",), 1, "did you mean `ingest`?"),
        (("ingest", "--since", "long"), 2, "neither a length such as 30d"),
        (("ingest", "--from", "2026-11-01", "--to", "2026-10-01"), 2, "must be before --to"),
        (("ingest", "--json", "--csv"), 2, "choose one of --json and --csv"),
        (("ingest", "--allocation", "no"), 1, "no CostAllocation is named `no`"),
        (("ingest", "--prometheus", "http://127.0.0.1:9"), 3, "flyball cost unit:"),
    ],
)
def test_mistakes_are_told(workspace: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = run(arguments[0], workspace, *arguments[1:])
    assert (result.exit_code, words in result.output) == (code, True), result.output


def test_steps_that_only_bills_know_are_left_out_and_told(workspace: Path) -> None:
    result = run("ingest", workspace, "--since", "2d", "--allocation", "tenants")
    assert "Only bills know what these steps spread: tax." in result.stdout


def test_a_file_of_weights_that_is_wrong_is_told_and_nothing_is_shown(workspace: Path) -> None:
    (workspace / "money" / "weights" / "seats.csv").write_text("tenant,weight\nalpha,lots\n")
    result = run("ingest", workspace, "--allocation", "tenants")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "weights/seats.csv:2:1: weight: `lots` is not a weight" in result.stderr


def test_a_workspace_without_unit_costs_says_how_to_write_one(workspace: Path) -> None:
    (workspace / "money" / "unit.yaml").unlink()
    result = run("", workspace)
    assert (result.exit_code, "declares no UnitCost" in result.output) == (1, True)
