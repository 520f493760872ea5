"""Documents about money beside SLOs: checked, compiled, applied, and told by a plan with what they would have done."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import flyball.cli.commands  # noqa: F401 -- registers them
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from controlplane.specfile import SourceFile
from flyball.cli import app
from flyball.demo import servers
from flyball.examining import examine
from flyball.money.reading import money_in, money_recorded
from flyball.remembered_files import RememberedFiles
from tests.flyball.test_apply import SLO

PRICES = """\
apiVersion: flyball.dev/v1
kind: PriceMap
metadata: {name: shop}
spec:
  currency: USD
  items:
    - name: requests
      resource: request
      usage: {counter: http_requests_total}
      by: [service]
      prices:
        - {amount: "0.50", per: 1000}
"""
BUDGET = """\
apiVersion: flyball.dev/v1
kind: Budget
metadata: {name: shop}
spec:
  amount: 100
  currency: USD
  window: 30d
  scope: {service: checkout}
"""
OTHER = BUDGET.replace("{name: shop}", "{name: other}")
STEP = timedelta(minutes=5)
NOW = datetime.now(UTC)
END = NOW - (NOW - datetime(2026, 1, 1, tzinfo=UTC)) % STEP
EACH = 0.01  # money of 5 minutes: 86.40 in 30 days


def sources(**texts: str) -> list[SourceFile]:
    return [SourceFile(f"{name}.yaml", text.encode()) for name, text in texts.items()]


def test_mistakes_about_money_are_told_together_with_those_of_slos() -> None:
    found = examine(
        sources(
            budget=BUDGET.replace("amount: 100", "amount: -1") + "---\n" + OTHER.replace("USD", "dollars"),
            slo=SLO.replace("target: 0.999", "target: 1.5"),
        )
    )
    places = {(problem.path, problem.line) for problem in found.problems}
    assert {("budget.yaml", 5), ("budget.yaml", 15)} <= places
    assert any(path == "slo.yaml" for path, _ in places)


def test_an_edit_of_a_budget_is_understood_as_reading_everything_would() -> None:
    remembered = RememberedFiles()
    assert remembered.understand(sources(slo=SLO, budget=BUDGET, prices=PRICES))[0] == []
    for edited in (BUDGET.replace("100", "0"), BUDGET.replace("USD", "EUR"), BUDGET):
        files = sources(slo=SLO, budget=edited, prices=PRICES)
        assert remembered.understand(files)[0] == list(examine(files).problems)


def test_what_was_recorded_is_what_was_declared_and_comments_change_nothing() -> None:
    files = sources(slo=SLO, budget=BUDGET, prices=PRICES)
    found = money_in(files)
    assert money_recorded(found.records) == found.declared
    assert [budget.amount for budget in found.declared.budgets] == [Decimal(100)]
    assert money_in(sources(all=f"# money\n{PRICES}---\n{BUDGET}")).records == found.records


def test_a_workspace_without_money_keeps_no_record_of_it() -> None:
    assert money_in(sources(slo=SLO)).records == ()


@dataclass
class Stage:
    workspace: Path
    rules: Path
    url: str

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.workspace / f"{name}.yaml").write_text(text)

    def run(self, command: str, *options: str) -> Result:
        main = [command, str(self.workspace), f"--rules-directory={self.rules}", f"--prometheus={self.url}"]
        return CliRunner().invoke(app, [*main, *options], env={"XDG_CACHE_HOME": str(self.rules.parent / "cache")})

    def money(self) -> list[Any]:
        found: list[Any] = json.loads(self.run("plan", "--json").stdout)["money"]
        return found


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """One that has counted 20 requests in each 5 minutes of 30 days, and recorded what they cost."""
    folder = tmp_path_factory.mktemp("prometheus")
    globs = [str(folder / "rules/current/*.yaml")]
    with servers.prometheus(folder / "engine", rule_globs=globs, out_of_order="40d", block_duration="31d") as server:
        times = [END - STEP * back for back in reversed(range(8640))]
        cost = {"price": "requests", "resource": "request", "service": "checkout", "currency": "USD"}
        minutes = [END - timedelta(minutes=back) for back in reversed(range(8640 * 5 + 5))]
        counted = tuple((at, 4.0 * number) for number, at in enumerate(minutes))
        with RemoteWriter(server.url) as writer:
            writer.write([Series({"__name__": "http_requests_total", "service": "checkout"}, counted)])
            for name in ("cost:spend:ledger5m", "cost:estimate:ledger5m"):
                writer.write([Series({"__name__": name, **cost}, tuple((at, EACH) for at in times))])
        yield server.url, folder / "rules"


@pytest.fixture
def stage(prometheus: tuple[str, Path], tmp_path: Path) -> Stage:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    made = Stage(workspace, prometheus[1], prometheus[0])
    made.write(slo=SLO, prices=PRICES, budget=BUDGET)
    return made


def test_a_plan_tells_what_a_higher_price_would_have_done_to_the_bill_and_to_alerts(stage: Stage) -> None:
    applied = stage.run("apply")
    assert applied.exit_code == 0, applied.output
    assert stage.run("plan").exit_code == 0
    stage.write(prices=PRICES.replace("0.50", "0.60"))
    (change,) = stage.money()
    assert (change["action"], change["kind"], change["name"]) == ("changed", "PriceMap", "shop")
    assert change["changes"] == [{"field": "spec.items[0].prices[0].amount", "before": "0.50", "after": "0.60"}]
    (item,) = change["lastMonth"]["prices"]["items"]
    assert abs(Decimal(item["old"]) - Decimal("86.4")) < Decimal("0.1")
    assert abs(Decimal(item["new"]) - Decimal("103.68")) < Decimal("0.1")
    (budget,) = change["lastMonth"]["budgets"]
    assert [float(spent) for spent in budget["spent"]] == pytest.approx([86.4, 103.68], abs=0.1)
    added = {(alert["alert"], alert["threshold"]) for alert in budget["alertsAdded"]}
    assert ("BudgetSpent", "0.9") in {(name, share and str(Decimal(share).normalize())) for name, share in added}
    told = stage.run("plan")
    assert told.exit_code == 2
    assert re.search(r"requests: 86\.\d\d USD → 103\.\d\d USD \(\+20 %\)", " ".join(told.stdout.split()))

    stage.write(prices=PRICES, budget=BUDGET.replace("amount: 100", "amount: 1000"))
    (change,) = stage.money()
    assert (change["kind"], change["changes"][0]["field"]) == ("Budget", "spec.amount")
    (budget,) = change["lastMonth"]["budgets"]
    assert budget["alertsRemoved"]
    assert not budget["alertsAdded"]


def test_a_plan_without_prometheus_says_that_the_effect_is_not_known(stage: Stage) -> None:
    assert stage.run("apply").exit_code == 0
    stage.write(budget=BUDGET.replace("amount: 100", "amount: 90"))
    main = ["plan", str(stage.workspace), f"--rules-directory={stage.rules}"]
    told = CliRunner().invoke(app, main, env={"FLYBALL_PROMETHEUS_URL": "http://127.0.0.1:1"})
    assert told.exit_code == 2
    assert "what it would have done last month is not known" in " ".join(told.stdout.split())


def test_a_document_that_goes_is_told_without_effects(stage: Stage) -> None:
    assert stage.run("apply").exit_code == 0
    (stage.workspace / "budget.yaml").unlink()
    (change,) = stage.money()
    assert (change["action"], change["kind"], change["lastMonth"]) == ("removed", "Budget", None)


def test_compiling_writes_rules_for_prices_and_budgets_and_the_same_bytes_again(tmp_path: Path) -> None:
    for name, text in (("slo", SLO), ("prices", PRICES), ("budget", BUDGET)):
        (tmp_path / f"{name}.yaml").write_text(text)
    out = tmp_path / "out"
    for _ in range(2):
        done = CliRunner().invoke(app, ["compile", str(tmp_path), "-o", str(out), "--json"])
        assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["written"] == []
    rules = {path.name for path in (out / "prometheus/rules").iterdir()}
    assert {"finops-pricing-shop.yaml", "finops-budgets-shop.yaml"} <= rules
