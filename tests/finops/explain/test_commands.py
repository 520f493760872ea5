"""`flyball cost forecast` and `flyball cost explain` on a workspace whose spend a real Prometheus has recorded."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from controlplane import conventions as names
from controlplane.model.event import Event
from controlplane.store import migrate, open_store
from flyball.cli import app
from flyball.cli import commands as commands
from tests.slo.evaluating import past, unix

NOW = datetime.now(UTC)
TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
DAY = timedelta(days=1)
WEEK = ("--from", f"{TODAY - 7 * DAY:%Y-%m-%d}", "--to", f"{TODAY:%Y-%m-%d}")
BUDGETS = """apiVersion: flyball.dev/v1
kind: Budget
metadata: {name: llm}
spec: {amount: 5000, currency: USD, window: month, scope: {service: llm}}
---
apiVersion: flyball.dev/v1
kind: PriceMap
metadata: {name: prices}
spec:
  currency: USD
  items:
    - {name: gpt, resource: token, usage: {counter: tokens_total}, by: [service], prices: [{amount: 0.001}]}
---
apiVersion: flyball.dev/v1
kind: Budget
metadata: {name: silent}
spec: {amount: 100, currency: USD, window: month}
"""


@dataclass
class Place:
    """A workspace and how to call commands on it."""

    folder: Path

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["cost", *arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "budgets.yaml").write_text(BUDGETS)
    database = f"sqlite:///{folder}/flyball.db"
    with past(tmp_path_factory.mktemp("prometheus")) as found:
        url = found.backend.address
        (folder / "flyball.yaml").write_text(
            "apiVersion: flyball.dev/v1\nkind: Workspace\nmetadata: {name: w}\n"
            f"spec: {{prometheus: {{url: '{url}'}}, store: {{url: '{database}'}}}}\n"
        )
        times = np.arange(unix(TODAY - 40 * DAY), unix(TODAY), 300, dtype=np.int64) + 60
        new = times >= unix(TODAY - 7 * DAY)
        labels = {names.CURRENCY: "USD", names.SERVICE: "llm"}
        item = {"__name__": names.SPEND_LEDGER, **labels, "price": "gpt", "resource": "token"}
        found.write(item, times, np.where(new, 0.8, 0.5))
        minutes = np.arange(unix(TODAY - 15 * DAY), unix(TODAY) + 1, 60, dtype=np.int64)
        tokens = np.cumsum(np.where(minutes > unix(TODAY - 7 * DAY), 160.0, 100.0))
        for model, share in (("large", 0.25), ("small", 0.75)):
            series = {"__name__": "tokens_total", names.SERVICE: "llm", "gen_ai_model": model}
            found.write(series, minutes, tokens * share)
        budget = {"__name__": names.BUDGET_LEDGER, names.BUDGET: "llm", names.CURRENCY: "USD"}
        lately = np.arange(times[0], unix(NOW), 300, dtype=np.int64)
        found.write(budget, lately, np.where(lately >= unix(TODAY - 7 * DAY), 0.8, 0.5))
        version = {"__name__": names.BUILD_INFO, names.SERVICE: "llm"}
        found.write({**version, "version": "1"}, times[~new], np.ones(int((~new).sum())))
        found.write({**version, "version": "2"}, times[new], np.ones(int(new.sum())))
        migrate(database)
        store = open_store(database)
        with store.transaction() as transaction:
            flag = Event("f1", names.EVENT_FLAG_CHANGED, "long-context", TODAY - 7 * DAY, {"to": "on"})
            transaction.events.append(flag, TODAY)
        store.close()
        yield Place(folder)


def test_a_budget_is_forecast_from_what_prometheus_recorded(place: Place) -> None:
    result = place.run("forecast", "llm", str(place.folder))
    assert result.exit_code == 0, result.output
    assert "Will cost" in result.stdout
    assert "of 5,000.00; 80 % sure" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_every_budget_is_told_as_data_and_those_without_a_forecast_say_why(place: Place) -> None:
    told = {each["budget"]: each for each in json.loads(place.run("forecast", str(place.folder), "--json").stdout)}
    assert Decimal(told["llm"]["forecast"]["middle"]) > 0
    assert told["llm"]["past"]["forecasts"] > 0
    assert told["silent"]["forecast"] is None
    assert "apply its rules" in told["silent"]["why"]


def test_an_unknown_budget_is_the_users_mistake(place: Place) -> None:
    result = place.run("forecast", "lm", str(place.folder))
    assert result.exit_code == 1
    assert "no budget is named `lm`, did you mean `llm`?" in result.stderr


def test_a_change_is_explained_with_what_was_changed_meanwhile(place: Place) -> None:
    result = place.run("explain", str(place.folder), *WEEK)
    assert result.exit_code == 0, result.output
    assert "USD  1,008.00 → 1,612.80   +604.80 (+60.00 %)" in result.stdout
    assert "flag.changed  long-context  to on" in result.stdout
    assert "deployment.finished  llm  version 1 → 2" in result.stdout


def test_live_spend_is_told_by_what_was_used_and_by_price(place: Place) -> None:
    data = json.loads(place.run("explain", str(place.folder), *WEEK, "--json").stdout)
    (item,) = data["currencies"][0]["items"]
    assert (item["item"], item["unit"]) == (["gpt", "token", None], "token")
    assert float(item["quantity_before"]) == pytest.approx(7 * 1440 * 100, rel=0.001)
    effects = {name: float(value) for name, value in item["effects"].items()}
    assert effects["usage"] == pytest.approx(604.8, rel=0.01)
    assert effects["price"] == pytest.approx(0, abs=2)
    assert data["missing"] == []


def test_usage_that_is_not_known_for_all_of_a_period_tells_nothing(place: Place) -> None:
    against = f"{TODAY - 20 * DAY:%Y-%m-%d}"
    data = json.loads(place.run("explain", str(place.folder), *WEEK, "--against", against, "--json").stdout)
    assert float(data["currencies"][0]["effects"]["other"]) == pytest.approx(604.8, rel=0.001)
    assert "quantities of gpt: its usage is not known for all of" in data["missing"][0]


def test_exact_figures_come_as_json_and_csv(place: Place) -> None:
    data = json.loads(place.run("explain", str(place.folder), *WEEK, "--json").stdout)
    (currency,) = data["currencies"]
    assert Decimal(currency["change"]) == sum(map(Decimal, currency["effects"].values()))
    rows = list(csv.DictReader(io.StringIO(place.run("explain", str(place.folder), *WEEK, "--csv").stdout)))
    assert [each["service"] for each in rows] == ["llm"]
    assert rows[0]["change"] == currency["change"]


def test_a_period_that_is_not_over_is_compared_with_as_long_a_time(place: Place) -> None:
    result = place.run("explain", str(place.folder), "--from", WEEK[1], "--to", "2199-01-01", "--json")
    data = json.loads(result.stdout)
    length, before = (
        datetime.fromisoformat(part["to"]) - datetime.fromisoformat(part["from"]) for part in (data, data["against"])
    )
    assert length == before < timedelta(days=9)


def test_an_issue_is_opened_once(place: Place) -> None:
    first, again = (place.run("explain", str(place.folder), *WEEK, "--open-issue") for _ in range(2))
    assert "MC-COST all spend: opened" in first.stderr
    assert "was opened before" in again.stderr
    assert first.exit_code == again.exit_code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--from", "yesterday"], "neither a day such as"),
        (["--from", "2026-11-08", "--to", "2026-11-01"], "must be before --to"),
        (["--where", "service"], "is not KEY=VALUE"),
        (["--by", "day"], "--from and --to"),
        (["--driver", "sum("], "is no PromQL"),
        (["--json", "--csv"], "choose one of"),
        (["--driver", "x", "--unit-cost", "y"], "choose one of"),
    ],
)
def test_options_that_cannot_be_are_refused_with_a_way_out(place: Place, options: list[str], words: str) -> None:
    result = place.run("explain", str(place.folder), *options)
    assert result.exit_code == 2
    assert words in result.stderr.replace("\n", " ").replace("│", " ")


def test_a_ledger_that_is_not_there_is_said(place: Place) -> None:
    result = place.run("explain", str(place.folder), "--ledger", "billed")
    assert result.exit_code == 3
    assert "flyball cost import" in result.stderr


def test_a_file_of_days_needs_no_workspace(place: Place, tmp_path: Path) -> None:
    days = "".join(f"2026-11-{day:02},100\n" for day in range(1, 21))
    (tmp_path / "daily.csv").write_text(f"day,amount\n{days}")
    result = place.run("forecast", "--file", str(tmp_path / "daily.csv"), "--amount", "2500", "--json")
    (told,) = json.loads(result.stdout)
    assert Decimal(told["forecast"]["middle"]) == 3000
    assert told["forecast"]["gone_on"] == "2026-11-25"
    rows = list(
        csv.DictReader(io.StringIO(place.run("forecast", "--file", str(tmp_path / "daily.csv"), "--csv").stdout))
    )
    assert len(rows) == 30


def test_a_file_with_mistakes_tells_every_place(place: Place, tmp_path: Path) -> None:
    (tmp_path / "daily.csv").write_text("day,amount\n2026-11-01,x\n2026-13-01,1\n")
    result = place.run("forecast", "--file", str(tmp_path / "daily.csv"))
    assert result.exit_code == 1
    assert "daily.csv:2:1: amount" in result.stderr
    assert "daily.csv:3:1: day" in result.stderr
