"""`flyball cost showback` on a real Prometheus, and its page in a real browser."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from playwright.sync_api import Browser
from typer.testing import CliRunner

from flyball.cli.cost.report import report
from flyball.cli.cost.showback import showback
from flyball.demo.servers import Server
from tests.flyball.cost_history import MONTH, days_of_month, remembering, write_workspace

app = typer.Typer()
app.command()(showback)
report_app = typer.Typer()
report_app.command()(report)
AXE = Path(__file__).resolve().parents[1] / "web/axe/node_modules/axe-core/axe.min.js"
WHICH = ("--ledger", "estimated", "--month", f"{MONTH:%Y-%m}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with remembering(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, server: Server) -> Path:
    return write_workspace(tmp_path, server)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Debian's Chromium; pytest-playwright asks here."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    return {"executable_path": path, "args": ["--no-sandbox", "--disable-dev-shm-usage"]}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def run_report(workspace: Path, *arguments: str) -> list[dict[str, str]]:
    result = CliRunner().invoke(report_app, [str(workspace), *arguments])
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def data(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_accounts_tie_out_to_the_ledger(workspace: Path) -> None:
    """0.9 USD in 5 minutes: kafka's 0.4 by events 3:1, the 0.1 that has no tenant by seats 1:1."""
    (dollars,) = data(run(workspace, *WHICH, "--json"))["currencies"]
    entries = 288 * days_of_month()
    assert Decimal(dollars["allocated"]) + Decimal(dollars["unallocated"]) == Decimal(dollars["ledger"])
    assert Decimal(dollars["ledger"]) == pytest.approx(Decimal("0.9") * entries)
    accounts = {each["target"]: each for each in dollars["accounts"]}
    expected = {"alpha": ("0.2", "0.3", "0.05"), "beta": ("0.2", "0.1", "0.05")}
    for tenant, figures in expected.items():
        found = [Decimal(accounts[tenant][name]) for name in ("direct", "shared", "idle")]
        assert found == pytest.approx([Decimal(each) * entries for each in figures], rel=Decimal("0.0001"))
    assert [(step["step"], step["left"]) for step in dollars["steps"]] == [("bus", "0"), ("rest", "0")]


def test_the_month_before_is_compared(workspace: Path) -> None:
    """It cost half as much a day."""
    (dollars,) = data(run(workspace, *WHICH, "--json"))["currencies"]
    days_before = (MONTH - (MONTH - timedelta(days=1)).replace(day=1)).days
    assert Decimal(dollars["before"]) == pytest.approx(Decimal("0.45") * 288 * days_before)


def test_a_report_of_all_time_holds_what_prometheus_remembers(workspace: Path) -> None:
    everything = run_report(workspace, "--ledger", "estimated", "--all", "--csv")
    month = run_report(workspace, "--ledger", "estimated", "--all", "--csv", "--from", f"{MONTH:%Y-%m}")
    whole, part = (sum(Decimal(row["effective_cost"]) for row in rows) for rows in (everything, month))
    assert whole > part > 0


def test_the_first_hour_of_a_day_is_written_as_the_others_are(workspace: Path) -> None:
    span = ("--from", f"{MONTH:%Y-%m-%d}", "--to", f"{MONTH + timedelta(days=1):%Y-%m-%d}")
    result = CliRunner().invoke(report_app, [str(workspace), "--ledger", "estimated", "--by", "hour", *span])
    assert f"{MONTH:%Y-%m-%d}T00:00:00Z" in result.stdout
    assert f"{MONTH:%Y-%m-%d}T01:00:00Z" in result.stdout


def test_a_month_that_is_known_in_part_only_is_not_compared(workspace: Path) -> None:
    """Of the month before the one before the last whole one, the ledger has the last ten days."""
    earlier = (MONTH - timedelta(days=1)).replace(day=1)
    result = run(workspace, "--ledger", "estimated", "--month", f"{earlier:%Y-%m}", "--json")
    (dollars,) = data(result)["currencies"]
    assert dollars["before"] is None


def test_a_chargeback_rounds_each_line_once_and_says_what_that_added(workspace: Path) -> None:
    found = data(run(workspace, *WHICH, "--chargeback", "--json"))
    (dollars,) = found["currencies"]
    lines = [line for account in dollars["accounts"] for line in account["lines"]]
    assert sum(Decimal(line["rounded"]) for line in lines) == Decimal(dollars["invoiced"])
    assert Decimal(dollars["invoiced"]) - Decimal(dollars["allocated"]) == Decimal(dollars["rounding"])
    assert all(-Decimal(line["rounded"]).as_tuple().exponent <= 2 for line in lines)
    assert abs(Decimal(dollars["rounding"])) <= Decimal("0.005") * len(lines)


def test_without_a_plan_only_direct_cost_is_shown_and_that_is_said(workspace: Path) -> None:
    result = run(workspace, *WHICH, "--by", "service", "--json")
    assert "No CostAllocation brings cost to a service; there is tenants: only direct cost is shown." in result.stderr
    (dollars,) = data(result)["currencies"]
    assert [each["target"] for each in dollars["accounts"]] == ["ingest", "kafka"]
    assert dollars["unallocated"] == "0"


def test_a_key_without_weights_leaves_its_cost_unallocated(workspace: Path) -> None:
    (workspace / "money" / "weights" / "seats.csv").write_text("tenant,weight,period\nalpha,1,2020-01\n")
    result = run(workspace, *WHICH)
    assert "(unallocated)" in result.stdout
    assert "not spread (all cost without a tenant, by the usage seats): there are no weights of seats." in result.stdout


def test_csv_lists_every_line(workspace: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(workspace, *WHICH, "--csv").stdout)))
    assert {(row["target"], row["kind"], row["what"], row["step"]) for row in rows} == {
        (tenant, *line)
        for tenant in ("alpha", "beta")
        for line in (("direct", "ingest", ""), ("shared", "kafka", "bus"), ("idle", "ingest", "rest"))
    }


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--month", "November"), 2, "is no month such as 2026-11"),
        (("--month", "2099-01"), 2, "lies in the future"),
        (("--allocation", "tenant"), 1, "no CostAllocation is named `tenant`: did you mean `tenants`?"),
        (("--json", "-o", "x.html"), 2, "choose one of -o, --json and --csv"),
        (("--ledger", "estimated", "--prometheus", "http://127.0.0.1:9"), 3, "flyball cost showback:"),
        ((*WHICH, "-o", "/nonexistent/x.html"), 3, "No such file or directory"),
    ],
)
def test_mistakes_are_told(workspace: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = run(workspace, *arguments)
    assert (result.exit_code, words in result.output) == (code, True), result.output


@pytest.mark.browser
def test_the_page_stands_alone_escapes_everything_and_fits_a_phone(
    workspace: Path, tmp_path: Path, browser: Browser
) -> None:
    allocation = workspace / "money" / "allocation.yaml"
    allocation.write_text(allocation.read_text().replace("name: bus", "name: \"<img src=x onerror='boom()'>\""))
    page_file = tmp_path / "page.html"
    assert run(workspace, *WHICH, "--chargeback", "-o", page_file).exit_code == 0
    page = browser.new_page(viewport={"width": 390, "height": 800})
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("request", lambda request: told.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(f"file://{page_file}")
    assert page.title() == f"Chargeback of {MONTH:%B %Y} by tenant · Flyball"
    assert told == []
    assert page.locator("img, script, link").count() == 0
    assert page.get_by_text("<img src=x onerror='boom()'>").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_label("dark").check()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != light
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("chargeback", [False, True], ids=["showback", "chargeback"])
def test_axe_finds_nothing_to_complain_about(
    workspace: Path, tmp_path: Path, browser: Browser, chargeback: bool
) -> None:
    page_file = tmp_path / "page.html"
    run(workspace, *WHICH, *(["--chargeback"] if chargeback else []), "-o", page_file)
    page = browser.new_context(bypass_csp=True).new_page()
    page.goto(page_file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
    page.add_script_tag(path=AXE)
    told = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}  # nothing else is a matter of colours
        found = page.evaluate("rules => axe.run(document, {...rules, resultTypes: ['violations']})", rules)
        told += [(scheme, it["id"], [node["html"][:200] for node in it["nodes"]]) for it in found["violations"]]
    page.context.close()
    assert told == []


def test_the_page_says_what_the_figures_say(workspace: Path, tmp_path: Path) -> None:
    page_file = tmp_path / "page.html"
    run(workspace, *WHICH, "-o", page_file)
    page = page_file.read_text()
    for words in (
        "It ties out to the last digit", "by the usage events", "Weights", "Ingest &lt;b&gt;", "above the target",
        "75.00 %",
    ):  # fmt: skip
        assert words in page
