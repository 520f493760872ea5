"""`flyball anomaly` on files, on a real Prometheus with three weeks of hourly series, and on a store."""

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
import typer
from typer.testing import CliRunner

from alerts.anomaly.backtesting.overrides import overridden
from alerts.anomaly.declared import declared
from alerts.anomaly.kinds import KINDS
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.anomaly import Episode
from controlplane.model.series import Series
from controlplane.specfile import SourceFile
from controlplane.store import SqlStore, migrate, open_store
from flyball.cli.anomaly import app, backtest, explain, feedback, listing
from flyball.demo import servers
from flyball.reading_kinds import read_kinds

NOW = datetime(2026, 11, 30, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPIKE = datetime(2026, 11, 28, 9, tzinfo=UTC)
CHECKOUT = '{service="checkout",zone="eu"}'
DETECTOR = """\
apiVersion: flyball.dev/v1
kind: AnomalyDetector
metadata: {name: traffic, displayName: Traffic of the shop}
spec:
  query: requests
  step: 1h
  season: {timeZone: Europe/Berlin}
  severity: page
  open: {steps: 1, of: 1, closeAfter: 2}
"""
GROUPED = DETECTOR + "  grouping: {by: [zone], aggregate: sum}\n"


def _points(seed: int, scale: float, spike: float) -> tuple[tuple[datetime, float], ...]:
    draw, first = Random(seed), NOW.replace(minute=0, second=0) - timedelta(days=20)
    found = []
    for at in (first + number * HOUR for number in range(20 * 24 + 1)):
        value = 1000 + 400 * math.sin(2 * math.pi * at.hour / 24) + draw.gauss(0, 10)
        found.append((at, scale * value * (spike if SPIKE <= at < SPIKE + 2 * HOUR else 1)))
    return tuple(found)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        with RemoteWriter(server.url) as writer:
            writer.write(
                [
                    Series({"__name__": "requests", "service": "checkout", "zone": "eu"}, _points(1, 1.0, 3.0)),
                    Series({"__name__": "requests", "service": "search", "zone": "eu"}, _points(2, 0.1, 1.0)),
                ]
            )
        yield server.url


@dataclass(frozen=True)
class World:
    folder: Path
    url: str = ""

    def run(self, command: str, *arguments: str) -> tuple[int, str]:
        where = [] if command == "score" else ["--database", f"sqlite:///{self.folder}/state.db"]
        where += ["--prometheus", self.url] if command in ("explain", "backtest") else []
        done = CliRunner().invoke(app, [command, *arguments, *where])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output

    def json(self, command: str, *arguments: str) -> dict[str, object]:
        code, text = self.run(command, *arguments, "--json")
        assert code == 0, text
        found: dict[str, object] = json.loads(text[text.index("{") :])
        return found


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    for module in (backtest, explain, feedback, listing):
        monkeypatch.setattr(module, "now", lambda: NOW)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traffic.yaml").write_text(DETECTOR)
    return World(tmp_path)


@pytest.fixture
def world(files: World, prometheus: str) -> World:
    return replace(files, url=prometheus)


# --- backtest and explain -------------------------------------------------------------------------------------------


def test_a_backtest_tells_what_would_have_been_told_beside_a_change(world: World) -> None:
    code, text = world.run("backtest", "traffic", "--since", "7d", "--html", "page.html", "--set", "sensitivity=low")
    assert code == 0
    assert re.search(
        r"^2026-11-28 09:00 +2 h +point +[\d.]+×  \{service=\"checkout\",zone=\"eu\"\}$", text, re.MULTILINE
    )
    assert re.search(r"^alarms +1 +1$", text, re.MULTILINE)
    assert re.search(r"^  anomaly +\^+$", text, re.MULTILINE)
    assert "traffic: 1 alarm of 1 series, 2.19 a series and month; 2 h open in all.\nsensitivity=low: 1 alarm" in text
    page = (world.folder / "page.html").read_text()
    assert "<h1>What traffic would have told</h1>" in page
    assert "<script" not in page
    assert not (world.folder / "state.db").exists()


def test_a_backtest_fails_above_a_rate_and_chooses_series(world: World) -> None:
    chosen = ("backtest", "traffic", "--since", "4d", "--fail-above", "0.5")
    assert world.run(*chosen)[0] == 1
    found = world.json(*chosen, "--series", "service=search")
    tests = [(each["series"], each["alarms"], each["episodes"]) for each in found["backtests"]]  # type: ignore[attr-defined]
    assert tests == [(1, 0, [])]


def test_an_explanation_says_what_was_expected_and_whether_it_alerts(world: World) -> None:
    (world.folder / "traffic.yaml").write_text(GROUPED)
    at = ("--at", "2026-11-28T09:30:00Z")
    code, text = world.run("explain", "traffic", "--series", "service=checkout", *at)
    assert code == 0
    assert "It alerts (page): open since 2026-11-28 09:00 UTC." in text
    assert re.search(r"^  Fri 2026-11-27 09:00 day +1[23]\d\d$", text, re.MULTILINE)
    assert re.search(
        r'^Of what its group \{group="1",zone="eu"\} is off by:\n +(9\d(\.\d)?|100) %  ' + re.escape(CHECKOUT),
        text,
        re.MULTILINE,
    )
    found = world.json("explain", "traffic", "--series", CHECKOUT)
    assert (found["at"], found["would_alert"], found["series"]) == ("2026-11-30T11:00:00Z", False, CHECKOUT)
    assert str(found["said"]).startswith("No alert: ")


def test_an_explanation_asks_for_one_series(world: World) -> None:
    code, text = world.run("explain", "traffic")
    assert code == 1
    assert f"traffic: 2 series fit; choose one:\n  --series '{CHECKOUT}'\n" in text
    code, text = world.run("explain", "trafic")
    assert (code, "did you mean `traffic`?" in text) == (1, True)
    code, text = world.run("explain", "traffic", "--series", "nonsense")
    assert code == 2


def test_series_to_choose_from_are_no_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        explain._choose("traffic", ["{a=\"'; reboot '\"}", '{a="\x1b[31m"}'], 2)
    text = capsys.readouterr().err
    assert """--series '{a="'"'"'; reboot '"'"'"}'""" in text
    assert "\x1b" not in text


def test_definitions_are_changed_by_the_names_of_their_fields() -> None:
    documents, _ = read_kinds([SourceFile("a.yaml", DETECTOR.encode())], KINDS)
    (detector,) = declared(documents).values
    for text in ("sensitivity=low", "direction=above", "output=both", "leastDeviation.absolute=5", "open.of=3",
                 "leastDeviation.relative=10%", "open.steps=2", "open.closeAfter=9", "season.timeZone=Asia/Tokyo",
                 "season.weekly=false", "season.daily=false", "grouping.falseDiscoveryRate=0.1"):  # fmt: skip
        assert overridden(detector, text) != detector
    for text in ("sensitivity=lo", "open.steps=0", "step=5m", "season.timeZone=Mars", "leastDeviation.relative=-1%"):
        with pytest.raises(ValueError, match=text.split("=")[0]):
            overridden(detector, text)


# --- the store -------------------------------------------------------------------------------------------------------

EPISODE = Episode(
    "4f1d2c9a77e0b513", "traffic", CHECKOUT, {"service": "checkout", "zone": "eu"}, "point", SPIKE, SPIKE + 2 * HOUR,
    SPIKE, None, None, None, None, None, "3,857, 1278 expected.\x1b[2J",
)  # fmt: skip


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("store") / "state.db"
    migrate(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture
def store(files: World, tables: bytes) -> Iterator[SqlStore]:
    (files.folder / "state.db").write_bytes(tables)
    store = open_store(f"sqlite:///{files.folder}/state.db")
    with store.transaction() as transaction:
        transaction.anomalies.put_episodes(
            [EPISODE, replace(EPISODE, id="b" * 16, started_at=NOW - HOUR, ended_at=None)]
        )
    yield store
    store.close()


def test_detectors_and_episodes_are_listed(files: World, store: SqlStore) -> None:
    code, text = files.run("list")
    assert re.search(r"^traffic +1 h +1 +2  page +not yet$", text, re.MULTILINE), text
    code, text = files.run("episodes", "--since", "30d")
    assert (code, "\x1b" in text, text.count("3,857, 1278 expected.")) == (0, False, 2)
    assert [each["id"] for each in files.json("episodes", "--open")["episodes"]] == ["b" * 16]  # type: ignore[attr-defined]
    assert "  opens      1 of 1 steps; closes after 2 quiet ones" in files.run("show", "traffic")[1]


def test_an_episode_is_explained_at_its_worst_step(world: World, store: SqlStore) -> None:
    found = world.json("explain", EPISODE.id)
    assert (found["at"], found["series"], found["would_alert"]) == ("2026-11-28T09:00:00Z", CHECKOUT, True)


def test_feedback_is_kept_once_audited_and_taken_back(files: World, store: SqlStore) -> None:
    for wanted in (True, False):
        found = files.json("feedback", EPISODE.id, "expected", "--note", "load test", "--by", "ada")
        assert found["is_new"] is wanted
    span = ("--from", "2026-11-29T10:20:00Z", "--to", "2h", "--verdict", "real", "--fit", "keep")
    for wanted in (True, False):
        assert files.json("feedback", "traffic", "service=checkout, zone=eu", *span)["is_new"] is wanted
    listed = files.json("feedback", "--list", "traffic")["feedback"]
    said = {(each["series"], each["from"], each["to"], each["verdict"], each["is_learnt"]) for each in listed}  # type: ignore[attr-defined]
    assert said == {
        (CHECKOUT, "2026-11-28T09:00:00Z", "2026-11-28T11:00:00Z", "expected", True),
        (CHECKOUT, "2026-11-29T10:00:00Z", "2026-11-30T11:00:00Z", "real", True),
    }
    assert files.json("feedback", EPISODE.id, "real")["is_new"]  # who changes his mind says something new
    assert files.json("feedback", EPISODE.id, "expected")["is_new"]
    with store.transaction(read_only=True) as transaction:
        entries = transaction.audit.entries(limit=20)
    assert sorted({(each.actor, each.action) for each in entries if each.actor == "ada"}) == [
        ("ada", "anomaly.feedback")
    ]
    identity = listed[0]["id"]  # type: ignore[index]
    assert files.run("feedback", "--withdraw", identity)[0] == 0
    assert files.run("feedback", "--withdraw", identity)[0] == 1


def test_feedback_that_says_too_little_is_refused(files: World, store: SqlStore) -> None:
    for arguments, code, said in (
        ((), 2, "name an episode or a detector"),
        (("traffic", "expected"), 2, "of a detector"),
        (("nobody", "expected"), 1, "no episode has the id"),
        (("traffic", "service=checkout", "--from", "2h"), 2, "--verdict expected"),
        (("traffic", "service=checkout", "--verdict", "real"), 2, "when it began"),
        (("traffic", "service=~c.*", "--from", "2h", "--verdict", "real"), 2, "one series"),
        (("traffic", "all", "--from", "2h", "--to", "3h", "--verdict", "real"), 2, "lie before --to"),
    ):
        found, text = files.run("feedback", *arguments)
        assert (found, said in re.sub(r"[\s│]+", " ", text)) == (code, True), text


# --- files -----------------------------------------------------------------------------------------------------------


def kpi() -> str:
    draw, first = Random(3), int(NOW.timestamp()) // 1800 * 1800
    values = [
        100 + 30 * math.sin(2 * math.pi * at / 48) + draw.gauss(0, 1) + 300 * (at in (170, 171)) for at in range(192)
    ]
    return "timestamp,value,label\n" + "".join(
        f"{first + 1800 * at},{value:.3f},0\n" for at, value in enumerate(values)
    )


def test_a_file_is_scored_with_no_workspace(files: World) -> None:
    (files.folder / "kpi.csv").write_text(kpi())
    code, text = files.run("score", "kpi.csv", "--chart", "kpi.html", "--zone", "Europe/Berlin", "--holidays", "de-by")
    assert code == 0
    assert "Time: timestamp, value: value, step: 30 min.\n" in text
    assert "kpi.csv: 1 anomaly, 2 anomalous steps in 192 rows of 1 series over 4 d.\n" in text
    assert "<h1>Anomalies in kpi.csv</h1>" in (files.folder / "kpi.html").read_text()
    assert files.run("score", "kpi.csv", "--fail")[0] == 1
    done = CliRunner().invoke(app, ["score", "-", "--csv"], input=kpi())
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [each["is_anomaly"] for each in rows].index("1") == 170
    assert [each["timestamp"] for each in rows] == [line.split(",")[0] for line in kpi().splitlines()[1:]]


def test_options_of_scoring_that_cannot_be_are_refused(files: World) -> None:
    (files.folder / "kpi.csv").write_text(kpi())
    for arguments, code, said in (
        (("nothing.csv",), 1, "nothing.csv: No such file or directory"),
        (("kpi.csv", "--csv", "--json"), 2, "say one of --csv and --json"),
        (("kpi.csv", "--zone", "Mars"), 2, "is no zone"),
        (("kpi.csv", "--holidays", "XX"), 2, "is no country"),
        (("kpi.csv", "--step", "7m"), 2, "a day is no multiple of it"),
        (("kpi.csv", "--least-relative", "much"), 2, "is no share"),
        (("kpi.csv", "--value", "nothing"), 1, "kpi.csv:1:1: no column is named `nothing`"),
    ):
        found, text = files.run("score", *arguments)
        assert (found, said in re.sub(r"[\s│]+", " ", text)) == (code, True), text
