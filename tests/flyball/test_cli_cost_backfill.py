"""`flyball cost backfill` on a real Prometheus: what money has a past of, and that nothing counts twice."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from controlplane.model.rule import RecordingRule
from controlplane.specfile import SourceFile
from finops.budgets.pace_rules import CALENDARS_OF
from flyball.cli.cost.backfill import backfill
from flyball.demo import servers
from flyball.demo.servers import Server
from flyball.money.compiling import money_rule_files
from flyball.money.declared import MoneyDeclared
from flyball.money.reading import money_in
from slo.cold_start import calendars_course, evaluate_in
from slo.compiler import CompileOptions

app = typer.Typer()
app.command()(backfill)

MINUTE, FIVE_MINUTES, HOUR, DAY = (timedelta(minutes=minutes) for minutes in (1, 5, 60, 1440))
PRICE = Decimal("0.0125")
WORKSPACE = """apiVersion: flyball.dev/v1
kind: Workspace
metadata: {name: here}
spec: {prometheus: {url: '%s', rulesDirectory: .flyball/rules}}
"""
MONEY = """apiVersion: flyball.dev/v1
kind: PriceMap
metadata: {name: PREFIX-prices}
spec:
  currency: USD
  items:
    - name: PREFIX-calls
      resource: request
      usage: {counter: 'calls_total{job="shop"}'}
      by: [tenant]
      labels: {service: PREFIX}
      prices: [{amount: 0.0125}]
---
apiVersion: flyball.dev/v1
kind: Budget
metadata: {name: PREFIX-month}
spec:
  amount: 5000
  currency: USD
  window: {every: month, start: START}
  scope: {service: PREFIX}
---
apiVersion: flyball.dev/v1
kind: UnitCost
metadata: {name: PREFIX-call}
spec:
  scope: {service: PREFIX}
  currency: USD
  units: {what: calls, counter: 'calls_total{job="shop"}'}
  by: [tenant]
"""
LIVE = {names.PRICE_MAP_INFO, names.ESTIMATE_ROLLING, names.SPEND_ROLLING, names.BUDGET_INFO, names.BUDGET_ROLLING}
LIVE |= {names.BUDGET_START}  # every 5 minutes in truth: what reads it must find it after `now`, too
LIVE_ENTRIES = {names.ESTIMATE_LEDGER, names.SPEND_LEDGER, names.BUDGET_LEDGER, names.BUDGET_PERIOD_LEDGER}


def period_start(now: datetime) -> datetime:
    """A day on which each month has a period, half a month ago."""
    day = (now - 15 * DAY).replace(hour=0, minute=0)
    while day.day > 28:
        day -= DAY
    return day


def this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


@dataclass(frozen=True)
class Given:
    """A Prometheus in which two tenants have called since `begin`, and how often each minute."""

    server: Server
    backend: PrometheusBackend
    calls: tuple[list[int], ...]
    now: datetime

    @property
    def start(self) -> datetime:
        """When the budget's period began."""
        return period_start(self.now)

    @property
    def begin(self) -> datetime:
        """When the first call was made."""
        return self.start - 2 * DAY

    def truth(self, start: datetime, end: datetime) -> Decimal:
        """Money of that time, by nothing but the calls."""
        first, last = ((at - self.begin) // MINUTE for at in (start, end))
        return sum((PRICE * sum(each[first + 1 : last + 1]) for each in self.calls), Decimal(0))

    def entries(self, selector: str) -> dict[tuple[tuple[str, str], ...], dict[float, float]]:
        """Every entry of a ledger, by series and time."""
        found: dict[tuple[tuple[str, str], ...], dict[float, float]] = {}
        for sample in self.backend.query(f"{selector}[40d]", datetime.now(UTC)):
            found.setdefault(tuple(sorted(sample.labels.items())), {})[sample.at.timestamp()] = sample.value
        return found

    def samples(self, prefix: str) -> int:
        """How many samples there are of what is recorded for a workspace's own objects."""
        own = (f'price="{prefix}-calls"', f'budget="{prefix}-month"', f'unit_cost="{prefix}-call"')
        now = datetime.now(UTC)
        return sum(len(self.backend.query(f'{{__name__=~".+:.+",{each}}}[40d]', now)) for each in own)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    folder = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(folder, out_of_order="32d", block_duration="60d", retention="60d") as server:
        now = this_minute()
        calls = write_calls(server, period_start(now) - 2 * DAY, now)
        backend = PrometheusBackend(server.url, timeout_seconds=60)
        yield Given(server, backend, calls, now)
        backend.close()


def write_calls(server: Server, begin: datetime, now: datetime) -> tuple[list[int], ...]:
    """More by day than by night, for each of two tenants, up to `now`."""
    random = np.random.default_rng(7)
    minutes = (now - begin) // MINUTE + 1
    at = round(begin.timestamp()) + 60 * np.arange(minutes)
    every = []
    with RemoteWriter(server.url) as writer:
        for tenant, level in (("alpha", 8), ("beta", 3)):
            calls = random.poisson(level * (1 + 0.8 * np.sin(at / 86_400 * 2 * np.pi)))
            labels = {"__name__": "calls_total", "job": "shop", "tenant": tenant}
            total = 1e6 + np.cumsum(calls).astype(float)
            writer.write_columns([ColumnarSeries(encoded_labels(labels), at * 1000, total)])
            every.append([int(each) for each in calls])
    return tuple(every)


def workspace(folder: Path, given: Given, prefix: str) -> tuple[Path, MoneyDeclared]:
    text = MONEY.replace("PREFIX", prefix).replace("START", f"{given.start:%Y-%m-%d}")
    (folder / "flyball.yaml").write_text(WORKSPACE % given.server.url)
    (folder / "money.yaml").write_text(text)
    return folder, money_in([SourceFile("money.yaml", text.encode())]).declared


def run_live(given: Given, money: MoneyDeclared, since: datetime) -> None:
    """What the rules write when they are applied at `since`: each minute at :27, entries from the third minute on."""
    groups = [group for file in money_rule_files(money, CompileOptions()) for group in file.groups]
    rules = [rule for group in groups for rule in group.rules if isinstance(rule, RecordingRule)]
    first = since + timedelta(seconds=27)
    with RemoteWriter(given.server.url) as writer:
        writer.write(calendars_course((each.window for each in money.budgets), since - HOUR, given.now, CALENDARS_OF))
        for chosen, start, step in ((LIVE, first, MINUTE), (LIVE_ENTRIES, first + 2 * MINUTE, FIVE_MINUTES)):
            last = start + (given.now - start) // step * step
            for rule in (rule for rule in rules if rule.record in chosen):
                evaluate_in([[rule]], given.backend, writer, [(start, last, step)])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def filled(folder: Path, *more: object) -> dict[str, dict[str, Any]]:
    result = run(folder, "--json", *more)
    assert result.exit_code == 0, result.output
    return {each["kind"]: each for each in json.loads(result.stdout)["objects"]}


def spent(given: Given, name: str, prefix: str) -> Decimal:
    (sample,) = given.backend.query(f'last_over_time({name}{{budget="{prefix}-month"}}[1h])', datetime.now(UTC))
    return Decimal(sample.value)


def test_a_month_to_date_budget_that_was_just_declared_reads_the_truth(given: Given, tmp_path: Path) -> None:
    folder, _ = workspace(tmp_path, given, "new")
    found = filled(folder)
    assert spent(given, names.BUDGET_SPENT, "new") == pytest.approx(
        given.truth(given.start, given.now), rel=Decimal("0.005")
    )
    assert spent(given, names.BUDGET_COVERAGE, "new") == pytest.approx(1, abs=Decimal("0.002"))
    assert spent(given, names.BUDGET_SPENT_RATIO, "new") == pytest.approx(
        given.truth(given.start, given.now) / 5000, rel=Decimal("0.005")
    )
    days = (given.now - given.begin) / DAY
    for kind in ("price-map", "budget", "unit-cost"):
        assert found[kind]["entries"] == pytest.approx(288 * days, abs=4)
        assert datetime.fromisoformat(found[kind]["from"]) - given.begin <= 2 * FIVE_MINUTES
    assert list(found) == ["price-map", "budget", "unit-cost"]


def test_one_that_was_applied_in_the_middle_gets_what_was_before_and_no_entry_twice(
    given: Given, tmp_path: Path
) -> None:
    folder, money = workspace(tmp_path, given, "old")
    applied = given.now - 30 * HOUR - 2 * MINUTE
    run_live(given, money, applied)
    ledgers = [
        f'{names.SPEND_LEDGER}{{price="old-calls"}}',
        f'{names.BUDGET_LEDGER}{{budget="old-month"}}',
        f'{names.BUDGET_PERIOD_LEDGER}{{budget="old-month"}}',
    ]
    before = [given.entries(each) for each in ledgers]
    found = filled(folder)
    for ledger, had in zip(ledgers, before, strict=True):
        has = given.entries(ledger)
        assert had
        assert {key: {at: has[key][at] for at in values} for key, values in had.items()} == had
        for series in has.values():
            times = np.array(sorted(series))
            first = min(at for values in had.values() for at in values)
            assert np.diff(times).min() >= 300
            assert np.diff(times).max() < 600
            assert set(times[times >= first]) <= {at for values in had.values() for at in values}
    of_period = f'{{budget="old-month",period="{given.start.timestamp():.0f}"}}'
    total = f"sum(sum_over_time({names.BUDGET_PERIOD_LEDGER}{of_period}[20d]))"
    (sample,) = given.backend.query(total, given.now)
    assert Decimal(sample.value) == pytest.approx(given.truth(given.start, given.now), rel=Decimal("0.005"))
    assert spent(given, names.BUDGET_SPENT, "old") == pytest.approx(
        given.truth(given.start, given.now), rel=Decimal("0.005")
    )
    assert spent(given, names.BUDGET_COVERAGE, "old") == pytest.approx(1, abs=Decimal("0.002"))
    assert datetime.fromisoformat(found["budget"]["to"]) < applied + FIVE_MINUTES


def test_a_new_budget_reads_prices_that_have_been_live_for_long(given: Given, tmp_path: Path) -> None:
    folder, money = workspace(tmp_path, given, "late")
    run_live(given, MoneyDeclared(price_maps=money.price_maps), given.start - HOUR)
    found = filled(folder, "--since", f"{given.start - HOUR:%Y-%m-%dT%H:%MZ}")
    assert (found["price-map"]["entries"], found["price-map"]["samples"]) == (0, 0)
    assert found["budget"]["entries"] > 288 * 15
    assert spent(given, names.BUDGET_SPENT, "late") == pytest.approx(
        given.truth(given.start, given.now), rel=Decimal("0.005")
    )
    assert spent(given, names.BUDGET_COVERAGE, "late") == pytest.approx(1, abs=Decimal("0.002"))


@pytest.mark.parametrize("prefix", ["again", "live"])
def test_a_second_run_writes_nothing(given: Given, tmp_path: Path, prefix: str) -> None:
    folder, money = workspace(tmp_path, given, prefix)
    if prefix == "live":
        run_live(given, money, given.now - 3 * HOUR)
    assert all(each["samples"] for each in filled(folder, "--since", "3d").values())
    had = given.samples(prefix)
    assert {each["samples"] for each in filled(folder, "--since", "3d").values()} == {0}
    assert given.samples(prefix) == had
    result = run(folder, "--since", "3d")
    assert result.stdout.count("nothing is missing, its entries begin at") == 3
    more = filled(folder, "--since", "4d")  # further back, and only that
    assert {each["entries"] for each in more.values()} <= {287, 288, 289}
    assert given.samples(prefix) > had


def test_what_was_interrupted_is_finished_by_the_next_run(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = workspace(tmp_path, given, "cut")
    whole = RemoteWriter.write_columns
    entries = 0

    def killed(self: RemoteWriter, series: Any) -> None:
        nonlocal entries
        columns = list(series)
        entries += any(names.SPEND_LEDGER.encode() in one.labels for one in columns)
        if entries == 3:
            raise KeyboardInterrupt
        whole(self, columns)

    with monkeypatch.context() as patch:
        patch.setattr("flyball.money.backfilling._SAMPLES_PER_REQUEST", 1000)
        patch.setattr(RemoteWriter, "write_columns", killed)
        assert run(folder, "--since", "2d").exit_code != 0
    ledger = f'{names.SPEND_LEDGER}{{price="cut-calls"}}'
    assert {len(each) for each in given.entries(ledger).values()} == {500}
    filled(folder, "--since", "2d")
    for series in given.entries(ledger).values():
        assert set(np.diff(sorted(series))) == {300}
        assert len(series) == pytest.approx(576, abs=2)
    money = sum(value for series in given.entries(ledger).values() for value in series.values())
    assert money == pytest.approx(float(given.truth(given.now - 2 * DAY, given.now)), rel=0.005)


def test_a_dry_run_tells_what_is_missing_and_writes_nothing(given: Given, tmp_path: Path) -> None:
    folder, _ = workspace(tmp_path, given, "dry")
    result = run(folder, "--since", "1d", "--dry-run")
    assert result.exit_code == 0
    assert "price map dry-prices: lacks 28" in result.stdout
    assert "budget dry-month: nothing was measured in that time" in result.stdout
    assert "Budgets and unit costs will get as much" in result.stderr
    assert given.samples("dry") == 0


def test_a_server_that_takes_nothing_late_is_named_with_its_setting(tmp_path: Path) -> None:
    with servers.prometheus(tmp_path / "young", block_duration="2d") as server:
        now = this_minute()
        backend = PrometheusBackend(server.url)
        young = Given(server, backend, write_calls(server, now - 5 * HOUR, now), now)
        folder, _ = workspace(tmp_path, young, "young")
        result = run(folder)
        assert result.exit_code == 3
        assert "Set storage.tsdb.out_of_order_time_window: 6h" in result.stderr
        assert backend.query(f"{names.SPEND_LEDGER}[1d]", now) == []
        backend.close()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--since", "401d"), 2, "400 days at most"),
        (("--since", "soon"), 2, "neither a length such as 30d"),
        (("--prometheus", "http://127.0.0.1:9"), 3, "flyball cost backfill:"),
    ],
)
def test_mistakes_are_told(given: Given, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    folder, _ = workspace(tmp_path, given, "bad")
    result = run(folder, *arguments)
    assert (result.exit_code, words in result.output) == (code, True), result.output


def test_a_workspace_without_money_says_how_to_begin(given: Given, tmp_path: Path) -> None:
    folder, _ = workspace(tmp_path, given, "none")
    (folder / "money.yaml").unlink()
    result = run(folder)
    assert (result.exit_code, "declares no PriceMap, Budget or UnitCost" in result.output) == (1, True)
