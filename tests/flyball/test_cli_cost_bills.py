"""`flyball cost import` and `flyball cost report`."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from flyball.cli.cost import import_, report
from tests.finops.billed.focus import csv_text, row, write_csv

APP = typer.Typer()
APP.command("import")(import_.import_)
APP.command("report")(report.report)

WORKSPACE = """\
apiVersion: flyball.dev/v1
kind: CostSource
metadata: {name: shop}
spec:
  path: bills
  dimensions: {service: [tag:app, ServiceName]}
---
apiVersion: flyball.dev/v1
kind: ExchangeRates
metadata: {name: ecb}
spec:
  source: ECB euro reference rates
  rates:
    - {since: 2026-10-01, from: USD, to: EUR, rate: 0.9}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(APP, list(arguments))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_file_is_imported_without_any_yaml_and_reported_to_the_last_digit(tmp_path: Path) -> None:
    write_csv(tmp_path / "costs.csv", row(BilledCost="0.000000000000000001"), row(ServiceName="Storage"))
    done = run("import", "costs.csv", "--json")
    assert done.exit_code == 0
    (source,) = json.loads(done.stdout)["sources"]
    assert [(each["period"], each["state"], each["rows"]) for each in source["periods"]] == [("2026-10", "new", 2)]
    answer = json.loads(run("report", "--json", "--all").stdout)
    assert (answer["total_billed_cost"], answer["total_effective_cost"]) == ("1.500000000000000001", "2.5")
    assert [(each["service"], each["billed_cost"]) for each in answer["rows"]] == [
        ("Compute", "0.000000000000000001"), ("Storage", "1.5"),
    ]  # fmt: skip


def test_files_named_by_the_option_are_imported_into_the_ledger_of_the_workspace_named_beside(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "costs.yaml").write_text(WORKSPACE)
    write_csv(tmp_path / "shop" / "bills" / "declared.csv", row(BilledCost="9"))
    write_csv(tmp_path / "a.csv", row(BilledCost="1"))
    write_csv(tmp_path / "b.csv", row(BilledCost="2"))
    for arguments, where in (
        (("--file", "a.csv", "--file", "b.csv"), "."),
        (("a.csv", "--file", "b.csv"), "."),
        (("shop", "--file", "a.csv", "--file", "b.csv"), "shop"),
    ):
        done = run("import", *arguments, "--cost-directory", f"{where}/ledger{len(arguments)}")
        assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "files"), done.output
        answer = json.loads(
            run("report", "--json", "--all", "--cost-directory", f"{where}/ledger{len(arguments)}").stdout
        )
        assert answer["total_billed_cost"] == "3"
    assert run("import", "shop", "--file", "a.csv").exit_code == 0
    assert (tmp_path / "shop" / ".flyball" / "cost-ledger" / "catalogue.json").is_file()


def test_texts_of_a_bill_are_no_commands_for_a_terminal(tmp_path: Path) -> None:
    names = ("\x1b[31mred\nand more", "x" * 5000)
    write_csv(tmp_path / "costs.csv", *[row(ServiceName=name) for name in names])
    run("import", "costs.csv")
    write_csv(tmp_path / "costs.csv", *[row(ServiceName=name, BilledCost="7") for name in names])
    restated = run("import", "costs.csv").stdout
    assert "  �[31mred�and more: billed" in restated
    lines = run("report", "--all").stdout.splitlines()
    assert {line.split("  ")[0] for line in lines[1:3]} == {"�[31mred�and more", "x" * 99 + "…"}
    assert json.loads(run("report", "--all", "--json").stdout)["rows"][0]["service"] == names[0]


def test_several_currencies_have_a_total_each(tmp_path: Path) -> None:
    write_csv(tmp_path / "costs.csv", row(), row(BillingCurrency="EUR", BilledCost="2"))
    run("import", "costs.csv")
    answer = json.loads(run("report", "--json", "--all").stdout)
    assert answer["total_billed_cost"] == {"EUR": "2", "USD": "1.5"}
    assert run("report", "--all", "--currency", "EUR").exit_code == 1


def test_a_refused_file_exits_with_one_and_its_place(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(csv_text([row()]).replace("BilledCost", "Billed"))
    done = run("import", "bad.csv")
    assert done.exit_code == 1
    assert "bad.csv:1:1: BilledCost: the column is missing  [missing-column]" in done.stderr
    assert "refused, the ledger is as it was" in done.stdout


def test_the_sources_of_a_workspace_are_imported_and_converted_by_its_rates(tmp_path: Path) -> None:
    (tmp_path / "costs.yaml").write_text(WORKSPACE)
    write_csv(tmp_path / "bills" / "a.csv", row(Tags='{"app": "checkout"}'), row(BillingCurrency="EUR"))
    assert run("import").exit_code == 0
    answer = json.loads(run("report", "--json", "--all", "--currency", "EUR").stdout)
    assert answer["total_billed_cost"] == "2.85"
    assert [each["service"] for each in answer["rows"]] == ["Compute", "checkout"]
    assert answer["rates"] == [
        {"from": "USD", "to": "EUR", "since": "2026-10-01", "rate": "0.9", "source": "ECB euro reference rates"}
    ]
    text = run("report", "--all", "--currency", "EUR").stdout
    assert "1 USD = 0.9 EUR since 2026-10-01 (ECB euro reference rates)" in text
    assert run("import", "--source", "shpo").exit_code == 1


def test_what_was_restated_and_what_is_faulty_is_told(tmp_path: Path) -> None:
    write_csv(tmp_path / "costs.csv", row(), row())
    run("import", "costs.csv")
    write_csv(tmp_path / "costs.csv", row(), row(BilledCost="2"), row(BilledCost="NaN"))
    done = run("import", "costs.csv")
    assert "2026-10 was restated: 1 service has other sums" in done.stdout
    assert "Compute: billed 3 USD → 3.5 USD (difference 0.5 USD)" in done.stdout
    assert "cost-not-finite  BilledCost  quarantined     1  line 4" in done.stdout
    listed = run("report", "--faults", "--csv").stdout.splitlines()
    assert listed[1].split(",")[2:] == ["cost-not-finite", "BilledCost", "costs.csv", "3", "4", "NaN", "quarantined"]
    assert "1 row is in quarantine and in no sum" in run("report", "--all").stdout


def test_tables_are_csv_that_a_spreadsheet_does_not_run(tmp_path: Path) -> None:
    write_csv(tmp_path / "costs.csv", row(ServiceName="=cmd()"), row(ServiceName="Storage", ChargeCategory="Credit"))
    run("import", "costs.csv")
    lines = run("report", "--csv", "--all", "--by", "service,day", "--where", "category=Usage").stdout.splitlines()
    assert lines[0] == "service,day,currency,effective_cost,billed_cost,list_cost,quantity,unit,charges"
    assert lines[1:] == ["'=cmd(),2026-10-05T00:00:00Z,USD,1.25,1.5,2,1,Hours,1"]


def test_wrong_options_are_said_at_once(tmp_path: Path) -> None:
    for arguments in (
        ("report", "--from", "soon"), ("report", "--where", "service"), ("report", "--json", "--csv"),
        ("import", "x.csv", "--source", "A b"), ("report", "--from", "2026-11-02", "--to", "2026-11-01"),
    ):  # fmt: skip
        assert run(*arguments).exit_code == 2, arguments
    assert "flyball cost import FILE" in run("report", "--all").stdout
    assert run("report", "--by", "currency", "--all").exit_code in (0, 3)


def test_the_ledger_may_lie_elsewhere(tmp_path: Path) -> None:
    write_csv(tmp_path / "costs.csv", row())
    assert run("import", "costs.csv", "--cost-directory", "elsewhere").exit_code == 0
    assert (tmp_path / "elsewhere" / "catalogue.json").is_file()
    assert "total: effective 1.25 USD, billed 1.5 USD" in run("report", "--all", "--cost-directory", "elsewhere").stdout
