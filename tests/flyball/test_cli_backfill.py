"""`flyball slo backfill` on real servers: every kind of indicator against its truth, gaps, interruptions, blocks."""

import io
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from benchmarks.indicator_month import STEP_SECONDS, Case, Truth, cases
from benchmarks.indicators import LEDGER_DELAY, Month, written
from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from controlplane.calendar.periods import period_at
from controlplane.model.exclusion import Exclusion
from controlplane.model.slo import SLO, CalendarUnit, CalendarWindow, DataPolicy, NoTraffic, RollingWindow
from controlplane.ports import Permanent, Transient
from flyball.backfilling.run import Done, Method, Order, Servers, run
from flyball.cli import app
from flyball.cli import commands as commands
from flyball.demo import servers
from flyball.demo.steps import PlainSteps
from slo.backfill.survey import Stretch
from slo.compiler import compile_rules
from tests.flyball.processes import FLYBALL, environment
from tests.flyball.running import eventually
from tests.slo.evaluating import rules_named, unix

DAY = cases(days=1, each=1)
KINDS = [case.kind for case in DAY]
GROUPED = next(case for case in DAY if case.slo.groups)
MOST_POINTS = 0.6
EVERYTHING = '{__name__=~"slo:.+"}[400d]'
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Given:
    """A server with a generated day."""

    url: str
    backend: PrometheusBackend
    month: Month
    now: datetime

    @property
    def end(self) -> datetime:
        return datetime.fromtimestamp(self.month.end, UTC)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    folder = tmp_path_factory.mktemp("measured")
    with servers.prometheus(folder, out_of_order="40d", block_duration="60d", features=["native-histograms"]) as server:
        month = written(server.url, DAY, days=1, now=int(datetime.now(UTC).timestamp()))
        backend = PrometheusBackend(server.url)
        yield Given(server.url, backend, month, datetime.now(UTC))
        backend.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[PrometheusBackend]:
    """A Prometheus that takes what is late, and has nothing."""
    with servers.prometheus(tmp_path / "empty", out_of_order="40d", block_duration="60d") as server:
        backend = PrometheusBackend(server.url)
        yield backend
        backend.close()


@pytest.fixture(scope="module")
def young(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusBackend]:
    """A Prometheus as it comes: it takes nothing late, and has nothing yet."""
    with servers.prometheus(tmp_path_factory.mktemp("young")) as server:
        backend = PrometheusBackend(server.url)
        yield backend
        backend.close()


def steps() -> PlainSteps:
    return PlainSteps(io.StringIO())


def order(given: Given, *slos: SLO, **more: object) -> Order:
    stretch = Stretch(None, given.end, given.now)
    return replace(Order(slos or tuple(case.slo for case in DAY), stretch), **more)  # type: ignore[arg-type]


def filled(given: Given, target: PrometheusBackend, order: Order) -> Done:
    return run(order, Servers(given.backend, target, target.address), steps())


def samples(done: Done) -> int:
    return sum(one.samples for one in done.filled)


def everything(backend: PrometheusBackend, selector: str = EVERYTHING) -> dict[str, dict[float, float]]:
    found: dict[str, dict[float, float]] = {}
    for sample in backend.query(selector, datetime.now(UTC)):
        series = json.dumps(dict(sample.labels), sort_keys=True)
        assert sample.at.timestamp() not in found.setdefault(series, {})
        found[series][sample.at.timestamp()] = sample.value
    return found


def budget_error(backend: PrometheusBackend, case: Case, group: tuple[str, ...], month: Month, at: datetime) -> float:
    """Points between what the ledger says is left of the budget and what truly is, within the ledger's delay."""
    matchers = f'slo="{case.slo.name}"' + (f',tenant="{group[0]}"' if group else "")
    ledger = f"{names.LEDGER_EVENTS}{{{matchers}}}[1d]"
    sums = {sample.labels["event"]: sample.value for sample in backend.query(f"sum_over_time({ledger})", at)}
    entries = max(sample.value for sample in backend.query(f"count_over_time({ledger})", at))
    left = 1 - sums["bad"] / (float(case.slo.budget_ratio) * sums["all"] / (entries / 288))
    known = int(at.timestamp() - month.start) // STEP_SECONDS
    truth = Truth(*(each[:known] for each in (case.truth[group].all, case.truth[group].bad)))
    true = truth.remaining(float(case.slo.budget_ratio), 86_400 // STEP_SECONDS)[-1 - LEDGER_DELAY :]
    return 100 * float(max(0.0, true.min() - left, left - true.max()))


# --- written to a running server --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written_to_it(given: Given) -> Done:
    return filled(given, given.backend, order(given))


@pytest.mark.parametrize("case", DAY, ids=KINDS)
def test_the_budget_of_a_backfilled_slo_is_what_it_truly_is(given: Given, written_to_it: Done, case: Case) -> None:
    assert written_to_it.method is Method.REMOTE_WRITE
    for group in case.truth:
        assert budget_error(given.backend, case, group, given.month, given.end) < MOST_POINTS


@pytest.mark.parametrize("case", DAY, ids=KINDS)
def test_the_past_has_the_labels_of_the_rules(given: Given, written_to_it: Done, case: Case) -> None:
    del written_to_it
    (rule,) = rules_named(compile_rules([case.slo]), names.LEDGER_EVENTS)
    own = {"__name__": rule.record, **dict(rule.labels)}
    live = {frozenset({**sample.labels, **own}.items()) for sample in given.backend.query(rule.expr, given.end)}
    recorded = given.backend.query(f'{rule.record}{{slo="{case.slo.name}"}}', given.end)
    assert live
    assert live == {frozenset(sample.labels.items()) for sample in recorded}
    parts = given.backend.query(f'{names.PART_LEDGER}{{slo="{case.slo.name}"}}', given.end)
    assert {tuple(sorted(sample.labels)) for sample in parts} <= {("__name__", "event", "part", "slo")}
    assert bool(parts) is (case.kind == "composite")


def test_a_second_backfill_writes_nothing(given: Given, written_to_it: Done) -> None:
    assert samples(written_to_it) > 10_000
    before = everything(given.backend)
    again = filled(given, given.backend, order(given))
    assert samples(again) == 0
    assert everything(given.backend) == before
    assert {one.coverage for one in again.filled} == {1.0}


def test_a_killed_backfill_is_finished_by_the_next(given: Given, written_to_it: Done, empty: PrometheusBackend) -> None:
    del written_to_it

    class Killed(Exception):
        pass

    class Impatient(RemoteWriter):
        requests = 0

        def write_columns(self, series: object) -> None:
            if Impatient.requests == 5:
                raise Killed
            Impatient.requests += 1
            super().write_columns(series)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flyball.backfilling.run.RemoteWriter", Impatient)
        with pytest.raises(Killed):
            filled(given, empty, order(given))
    assert 0 < len(everything(empty)) < len(everything(given.backend))
    filled(given, empty, order(given))
    found, expected = everything(empty), everything(given.backend)
    assert {series: list(values) for series, values in found.items()} == {
        series: list(values) for series, values in expected.items()
    }
    for series, values in expected.items():  # Prometheus adds floats in any order
        assert list(found[series].values()) == pytest.approx(list(values.values()))


def test_entries_of_live_rules_stay_and_no_event_counts_twice(given: Given, empty: PrometheusBackend) -> None:
    slo = DAY[0].slo
    seconds = unix(given.end) - 6 * 3600 + 27 + 300 * np.arange(48)
    with RemoteWriter(empty.address) as writer:
        for event in ("all", "bad"):
            labels = {"__name__": names.LEDGER_EVENTS, "slo": slo.name, "event": event}
            writer.write_columns([ColumnarSeries(encoded_labels(labels), seconds * 1000, np.full(48, 7.0))])
        labels = {"__name__": names.LEDGER_EVENTS, "slo": slo.name, "event": "all", "tenant": "of-earlier"}
        writer.write_columns([ColumnarSeries(encoded_labels(labels), seconds * 1000, np.full(48, 7.0))])
    done = filled(given, empty, order(given, slo))
    series = f'{names.LEDGER_EVENTS}{{slo="{slo.name}",event="all",tenant=""}}[2d]'
    (entries,) = everything(empty, series).values()
    assert {at: value for at, value in entries.items() if at in seconds} == dict.fromkeys(seconds.tolist(), 7.0)
    assert np.diff(sorted(entries)).min() >= 300
    assert np.diff(sorted(entries)).max() < 600
    assert samples(filled(given, empty, order(given, slo))) == 0
    assert done.filled[0].recorded == pytest.approx(48, abs=1)


def test_time_that_was_not_measured_stays_a_gap(given: Given, empty: PrometheusBackend) -> None:
    slo = DAY[0].slo
    two_days = replace(slo, window=RollingWindow(timedelta(days=2)))
    done = filled(given, empty, order(given, two_days))
    assert done.filled[0].coverage == pytest.approx(0.5, abs=0.01)


def test_an_earlier_name_is_as_good_as_the_new_one(given: Given, written_to_it: Done) -> None:
    del written_to_it
    renamed = replace(DAY[0].slo, name="renamed", renamed_from=(DAY[0].slo.name,))
    assert samples(filled(given, given.backend, order(given, renamed))) == 0


def test_what_is_excluded_is_in_the_raw_ledger_only(given: Given, empty: PrometheusBackend) -> None:
    start, end = given.end - 12 * HOUR, given.end - 10 * HOUR
    exclusion = Exclusion("upgrade", "me", "because", given.end + HOUR, ((start, end),))
    slo = replace(DAY[0].slo, name="excluded", exclusions=(exclusion,))
    filled(given, empty, order(given, slo))
    filled(given, empty, order(given, DAY[0].slo))
    plain = f'{names.LEDGER_EVENTS}{{slo="{DAY[0].slo.name}"}}'
    for event in ("all", "bad"):
        left, out, whole = (
            empty.query(f'sum_over_time({record}{{slo="{name}",event="{event}"}}[1d])', given.end)[0].value
            for record, name in (
                (names.LEDGER_EVENTS, "excluded"),
                (names.EXCLUDED_LEDGER, "excluded"),
                (names.LEDGER_EVENTS, DAY[0].slo.name),
            )
        )
        assert left + out == pytest.approx(whole)
    inside = empty.query(f"sum_over_time({plain}[2h] @ {unix(end)})", given.end)
    out_of = empty.query(f'sum_over_time({names.EXCLUDED_LEDGER}{{slo="excluded"}}[1d])', given.end)
    assert [sample.value for sample in out_of] == pytest.approx([sample.value for sample in inside], rel=0.06)


def test_a_calendar_window_has_its_period_and_idle_time_counts_as_the_policy_says(
    given: Given, empty: PrometheusBackend
) -> None:
    window = CalendarWindow(1, CalendarUnit.DAY, "2026-01-01T00:00:00", "Europe/Berlin")
    slo = replace(DAY[0].slo, name="daily", window=window, policy=DataPolicy(NoTraffic.BAD, up="vector(1)"))
    gone = replace(slo, name="gone", indicator=replace(slo.indicator, **{
        part: replace(getattr(slo.indicator, part), text="nothing_total") for part in ("total", "bad")
    }))  # fmt: skip
    filled(given, empty, order(given, slo, gone))
    begin = unix(period_at(window, given.end)[0])
    entries = everything(empty, f'{names.PERIOD_EVENTS}{{slo="daily",event="all",period="{begin}"}}[2d]')
    ((times, expected),) = [(sorted(each), range(begin, unix(given.end) + 1, 300)) for each in entries.values()]
    assert times == list(expected)
    idle_events = empty.query(f'{names.LEDGER_EVENTS}{{slo="gone"}}', given.end)
    assert {sample.labels["event"]: sample.value for sample in idle_events} == {"all": 1.0, "bad": 1.0}


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_server_that_takes_nothing_late_is_named_with_its_setting(given: Given, young: PrometheusBackend) -> None:
    with pytest.raises(Permanent, match=r"out_of_order_time_window: \d+h"):
        filled(given, young, order(given, method=Method.REMOTE_WRITE))


def test_a_folder_with_other_files_is_left_alone(given: Given, young: PrometheusBackend, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(Permanent, match="holds other files"):
        filled(given, young, order(given, DAY[0].slo, out=tmp_path))
    with pytest.raises(Permanent, match="not the data folder"):
        filled(given, young, order(given, DAY[0].slo, data=tmp_path))


# --- blocks -----------------------------------------------------------------------------------------------------------


def test_blocks_hold_the_truth_and_end_before_what_is_in_memory(
    given: Given, young: PrometheusBackend, tmp_path: Path
) -> None:
    out, second = tmp_path / "out", tmp_path / "second"
    done = filled(given, young, order(given, out=out))
    assert done.method is Method.BLOCKS
    assert done.left_from is not None
    assert filled(given, young, order(given, out=out)).waiting
    with pytest.raises(Permanent, match="holds blocks of other SLOs"):
        filled(given, young, order(given, replace(DAY[0].slo, name="another"), out=out))
    (second / "data").mkdir(parents=True)
    for block in done.blocks:
        meta = json.loads((out / block / "meta.json").read_text())
        assert meta["maxTime"] <= done.left_from.timestamp() * 1000
        (out / block).rename(second / "data" / block)
    with servers.prometheus(second) as server:
        backend = PrometheusBackend(server.url)
        last = done.left_from - timedelta(minutes=5)
        for case in DAY:
            for group in case.truth:  # in the middle of whatever happens there, and of a day only
                assert budget_error(backend, case, group, given.month, last) < 2 * MOST_POINTS
        again = filled(given, backend, order(given, out=out, stretch=Stretch(None, last, datetime.now(UTC))))
        assert samples(again) == 0
        backend.close()


def test_blocks_that_were_moved_and_not_taken_are_not_made_twice(
    given: Given, young: PrometheusBackend, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for block in filled(given, young, order(given, DAY[0].slo, out=out)).blocks:
        (out / block).rename(tmp_path / block)
    with pytest.raises(Transient, match="has not taken them yet"):
        filled(given, young, order(given, DAY[0].slo, out=out))


SLO_FILE = """apiVersion: openslo/v1
kind: SLO
metadata: {name: from-a-file}
spec:
  service: shop
  indicator:
    metadata: {name: i}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'errors_total{job="ratio-of-bad-0"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'requests_total{job="ratio-of-bad-0"}'}}}
  timeWindow: [{duration: 1d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: o, target: 0.99}]
"""


def command(given: Given, tmp_path: Path, *more: str) -> list[str]:
    (tmp_path / "slo.yaml").write_text(SLO_FILE)
    return [str(FLYBALL), "slo", "backfill", str(tmp_path / "slo.yaml"), "--prometheus", given.url, *more]


def told(given: Given, tmp_path: Path, *more: str) -> Result:
    """What the command does, in this process: a process of its own takes a second to import everything."""
    with chdir(tmp_path):
        return CliRunner().invoke(app, command(given, tmp_path, *more)[1:], env=environment())


def test_blocks_in_a_data_folder_survive_a_kill_and_are_written_once(given: Given, tmp_path: Path) -> None:
    folder = tmp_path / "target"
    data = folder / "data"
    with servers.prometheus(folder) as target:
        asked = command(given, tmp_path, "--into", target.url, "--data-dir", str(data), "--json")
        process = subprocess.Popen(asked, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: any((each / "meta.json").is_file() for each in data.glob("0*")))
        process.send_signal(signal.SIGKILL)
        process.wait()
        blocks = {each.name for each in data.glob("0*")}
    with servers.prometheus(folder) as target:  # it looks for new blocks when it starts, and then once a minute
        done = told(given, tmp_path, "--into", target.url, "--data-dir", str(data), "--json")
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout)["samples"] == 0
        assert {each.name for each in data.glob("0*")} == blocks
        assert not list(data.glob("*flyball*"))
        backend = PrometheusBackend(target.url)
        assert len(everything(backend)) >= 2
        backend.close()


def test_a_signal_leaves_nothing_behind(given: Given, tmp_path: Path) -> None:
    with servers.prometheus(tmp_path / "target") as target:
        out = tmp_path / "blocks"
        asked = command(given, tmp_path, "--into", target.url, "-o", str(out))
        process = subprocess.Popen(asked, env=environment(), stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        process.stderr.readline()  # "Computing …"
        process.send_signal(signal.SIGTERM)
        words = process.stderr.read()
        if process.wait() == 0:
            assert out.is_dir()  # it was faster
        else:
            assert process.returncode == 128 + signal.SIGTERM
            assert "run the same command again" in words
            assert not out.exists()
        assert not list(tmp_path.glob("blocks.partial"))


def test_openmetrics_is_what_promtool_reads(given: Given, tmp_path: Path, promtool: str) -> None:
    done = told(given, tmp_path, "--method", "openmetrics", "-o", str(tmp_path / "past.txt"))
    assert done.exit_code == 0, done.stderr
    text = (tmp_path / "past.txt").read_text()
    assert text.endswith("# EOF\n")
    assert text.count("# TYPE") == 2
    made = subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "past.txt"), str(tmp_path / "made")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


def test_a_dry_run_tells_what_is_missing_and_writes_nothing(given: Given, tmp_path: Path) -> None:
    done = told(given, tmp_path, "--dry-run")
    assert done.exit_code == 0, done.stderr
    assert "from-a-file: 0 % of the time is recorded" in done.stdout
    assert given.backend.query('{slo="from-a-file"}', given.end) == []


def test_no_server_is_exit_status_3(given: Given, tmp_path: Path) -> None:
    nowhere = replace(given, url=f"http://127.0.0.1:{servers.free_port()}")
    done = told(nowhere, tmp_path)
    assert done.exit_code == 3
    assert "Not backfilled: Prometheus at" in done.stderr
    assert told(given, tmp_path, "--method", "carrier-pigeon").exit_code == 2
