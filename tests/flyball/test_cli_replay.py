"""`flyball slo replay` on a real Prometheus, and its page in a real browser."""

import json
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page
from typer.testing import CliRunner

from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from flyball.cli import app
from flyball.demo import servers
from flyball.demo.servers import Server
from tests.flyball.processes import FLYBALL, environment

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
HOURS = 40
BROKE = NOW - timedelta(hours=10)

SLO = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout
  displayName: "Checkout <script>alert(1)</script>"
spec:
  service: shop
  indicator:
    metadata: {name: checkout}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'requests_total{code="500"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: requests_total}}}
  timeWindow: [{duration: 1d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: answered, target: 0.99}]
"""
INCIDENTS = f"""
- name: "<b>bad</b> deploy"
  start: {BROKE:%Y-%m-%dT%H:%M:%SZ}
  end: {BROKE + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}
  slo: checkout
"""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("prometheus")
    globs = [str(folder / "rules" / "current" / "*.yaml")]
    with servers.prometheus(folder, rule_globs=globs, out_of_order="40d", block_duration="40d") as server:
        minutes = np.arange(HOURS * 60 + 1)
        times = round(NOW.timestamp() * 1000) - 60_000 * minutes[::-1]
        bad = np.where((times >= BROKE.timestamp() * 1000) & (times < (BROKE.timestamp() + 1800) * 1000), 300.0, 1.0)
        with RemoteWriter(server.url) as writer:
            for code, each in (("200", 600 - bad), ("500", bad)):
                labels = encoded_labels({"__name__": "requests_total", "code": code, "job": "a", "instance": "a"})
                writer.write_columns([ColumnarSeries(labels, times, np.cumsum(each))])
        yield server


@pytest.fixture
def workspace(tmp_path: Path, prometheus: Server) -> Path:
    folder = tmp_path / "workspace"
    (folder / "slo").mkdir(parents=True)
    (folder / "flyball.yaml").write_text(
        f"apiVersion: flyball.dev/v1\nkind: Workspace\nmetadata: {{name: here}}\n"
        f"spec: {{prometheus: {{url: '{prometheus.url}', rulesDirectory: .flyball/rules}}}}\n"
    )
    (folder / "slo" / "checkout.yaml").write_text(SLO)
    return folder


@dataclass(frozen=True)
class Ran:
    """What a command said, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def flyball(*arguments: str | Path, command: tuple[str, ...] = ("slo", "replay")) -> Ran:
    import flyball.cli.commands  # noqa: F401 -- registers the commands

    quiet = {name: text for name, text in environment().items() if name != "FLYBALL_PROMETHEUS_URL"}
    found = CliRunner().invoke(app, [*command, *map(str, arguments)], env={**quiet, "FLYBALL_PROMETHEUS_URL": ""})
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return Ran(found.exit_code, found.stdout, found.stderr)


def as_json(*arguments: str | Path) -> dict[str, Any]:
    ran = flyball(*arguments, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_a_replay_tells_whom_it_would_have_woken_when_and_why(workspace: Path) -> None:
    ran = flyball(workspace, "--since", "1d")
    assert ran.returncode == 0, ran.stderr
    assert "1 SLO replayed over 1 d" in ran.stdout
    assert f"page   {BROKE:%Y-%m-%d}" in ran.stdout
    assert "of the budget gone in 1h" in ran.stdout
    assert "Suggested: " in ran.stdout
    assert "How sure: fair" in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert "nothing to compare with" in ran.stderr


def test_the_same_as_json_is_exact(workspace: Path) -> None:
    (slo,) = as_json(workspace, "--since", "1d")["slos"]
    proposed = slo["proposed"]
    assert (slo["slo"], slo["service"], slo["group"], slo["current"]) == ("checkout", "shop", {}, None)
    assert proposed["pages"] == 1
    (page,) = [alert for alert in proposed["alerts"] if alert["urgency"] == "page"]
    # 24 h × 600 a minute × 1 % = 8,640 bad events, 2 % of them in the first minute.
    assert BROKE <= datetime.fromisoformat(page["start"]) <= BROKE + timedelta(minutes=3)
    assert page["secondsAfterBurnBegan"] <= 180
    assert proposed["badEvents"] == pytest.approx(30 * 300 + 1410, rel=0.02)
    assert proposed["budgetRemaining"] == pytest.approx(1 - (30 * 300 + 1410) / 8640, abs=0.03)
    assert proposed["coverage"] > 0.99
    assert len(proposed["budget"]) > 200


def test_a_time_before_all_data_is_told_as_such(workspace: Path) -> None:
    (slo,) = as_json(workspace, "--since", "1d", "--until", "10d")["slos"]
    assert slo["proposed"]["coverage"] == 0
    assert slo["proposed"]["budgetRemaining"] is None
    assert slo["suggestion"] is None


def test_what_is_live_is_compared_with_what_is_proposed(workspace: Path, prometheus: Server) -> None:
    settings = workspace / "flyball.yaml"
    settings.write_text(settings.read_text().replace(".flyball/rules", str(prometheus.log.parent / "rules")))
    applied = flyball(workspace, command=("apply",))
    assert applied.returncode == 0, applied.stderr
    file = workspace / "slo" / "checkout.yaml"
    file.write_text(SLO.replace("0.99", "0.5"))
    (slo,) = as_json(file, "--since", "1d")["slos"]
    assert slo["current"]["objective"] == "0.99"
    assert (slo["current"]["pages"], slo["proposed"]["pages"]) == (1, 0)
    assert "Before: 99 %" in flyball(file, "--since", "1d").stdout


def test_other_files_can_be_compared_with(workspace: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SLO.replace("0.99", "0.5"))
    (slo,) = as_json(workspace, "--since", "1d", "--against", other)["slos"]
    assert (slo["current"]["pages"], slo["proposed"]["pages"]) == (0, 1)


def test_alerts_are_judged_by_incidents(workspace: Path, tmp_path: Path) -> None:
    incidents = tmp_path / "incidents.yaml"
    incidents.write_text(INCIDENTS)
    found = as_json(workspace, "--since", "1d", "--incidents", incidents)["incidents"]
    assert (found["pages"]["precision"], found["pages"]["recall"]) == (1, 1)
    assert found["told"][0]["toldBySlo"] == "checkout"
    assert "precision 100 %" in flyball(workspace, "--since", "1d", "--incidents", incidents).stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--since", "soon"), 2, "neither a length"),
        (("--since", "1d", "--until", "2999-01-01"), 2, "future"),
        (("--since", "0d"), 2, "before --until"),
        (("--slo", "nothing-*"), 1, "no SLO is named nothing-*"),
        (("--incidents", "/nowhere/x.yaml"), 1, "No such file"),
        (("--prometheus", "http://127.0.0.1:9"), 3, "Not replayed"),
        (("-o", "/nowhere/x.html", "--since", "1h"), 3, "No such file"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_status(
    workspace: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    ran = flyball(workspace, *arguments)
    assert ran.returncode == status, ran.stderr
    assert words in " ".join(ran.stderr.replace("│", " ").split())
    assert ran.stdout == ""


def test_broken_files_are_told_at_their_place(workspace: Path, tmp_path: Path) -> None:
    (workspace / "slo" / "checkout.yaml").write_text(SLO.replace("0.99", "99 percent"))
    ran = flyball(workspace)
    assert ran.returncode == 1
    assert "checkout.yaml:17:48: spec.objectives[0]" in ran.stderr
    incidents = tmp_path / "incidents.csv"
    incidents.write_text("start,end\nnow,later\n")
    (workspace / "slo" / "checkout.yaml").write_text(SLO)
    ran = flyball(workspace, "--incidents", incidents)
    assert ran.returncode == 1
    assert "incidents.csv:2:1: start: not a time" in ran.stderr


class Silent(BaseHTTPRequestHandler):
    """A Prometheus that is there, and never answers a query."""

    asked = threading.Event()

    def do_GET(self) -> None:
        body = b'{"status": "success", "data": {"reloadConfigSuccess": true}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.asked.set()
        threading.Event().wait()

    def log_message(self, *_: object) -> None:
        pass


def test_it_can_be_interrupted_while_prometheus_thinks(workspace: Path) -> None:
    server = ThreadingHTTPServer((servers.LOOPBACK, 0), Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url, out = f"http://{servers.LOOPBACK}:{server.server_address[1]}", workspace / "replay.json"
    command = [FLYBALL, "slo", "replay", workspace, "--prometheus", url, "-o", out]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert Silent.asked.wait(30)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    server.shutdown()
    assert process.returncode == 130
    assert b"Interrupted" in told
    assert not out.exists()


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "Chromium is not installed: run `make setup-test`"
    return {"executable_path": path, "args": ["--no-sandbox", "--disable-dev-shm-usage"]}


def opened(browser: Browser, path: Path, **context: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(**context).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.goto(path.as_uri())
    return page, asked


@pytest.mark.browser
def test_the_page_stands_alone_on_a_desk_and_on_a_phone(workspace: Path, tmp_path: Path, browser: Browser) -> None:
    incidents, out = tmp_path / "incidents.yaml", tmp_path / "replay.html"
    incidents.write_text(INCIDENTS)
    ran = flyball(workspace, "--since", "1d", "--incidents", incidents, "--format", "html", "-o", out)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    page, asked = opened(browser, out, viewport={"width": 1280, "height": 900})
    assert asked == [out.as_uri()], "it asks for nothing else, and complains of nothing"
    assert page.get_by_role("heading", name="Checkout <script>alert(1)</script>").is_visible()
    assert page.get_by_text("<b>bad</b> deploy").first.is_visible()
    assert page.get_by_role("img", name="Error budget left").is_visible()
    assert page.locator("text.event.page").text_content() == "page"
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_label("dark").check()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != light
    page.emulate_media(media="print")
    assert not page.get_by_label("dark").is_visible()
    phone, _ = opened(browser, out, viewport={"width": 360, "height": 700})
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
