"""`flyball ladder simulate` on bills and on a real Prometheus, and its page in a real browser."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import typer
from click.testing import Result
from playwright.sync_api import Browser
from typer.testing import CliRunner

from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from flyball.cli.ladder.simulate import simulate
from flyball.demo import servers
from flyball.demo.servers import Server
from tests.finops.billed.focus import row, write_csv

app = typer.Typer()
app.command()(simulate)
AXE = Path(__file__).resolve().parents[1] / "web/axe/node_modules/axe-core/axe.min.js"
FIRST = datetime(2026, 10, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORKSPACE = """apiVersion: flyball.dev/v1
kind: Workspace
metadata: {name: here}
spec: {prometheus: {url: '%s'}}
---
apiVersion: flyball.dev/v1
kind: Budget
metadata: {name: llm}
spec: {amount: 720, currency: USD, window: 30d, scope: {service: LLM}}
"""
LADDER = """apiVersion: flyball.dev/v1
kind: FlagStore
metadata: {name: platform}
spec: {memory: {}, flags: [{name: sampling, type: boolean, normal: false, owner: ops, expires: 2030-01-01}]}
---
apiVersion: flyball.dev/v1
kind: Ladder
metadata: {name: shop}
spec:
  flagStore: platform
  currency: USD
  every: 1m
  signals: [{name: burn, budget: llm, measure: burnRate, window: 1h}]
  limits: {coolDown: 30m}
  tiers:
    - name: "%s"
      description: Sampling.
      flags: {sampling: true}
      saving: 0.5
      enter: {any: {burn: 2}, samples: 3}
      exit: {all: {burn: 1.5}, samples: 3}
      dwell: 10m
      journeys: []
"""


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Debian's Chromium; pytest-playwright asks here."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    return {"executable_path": path, "args": ["--no-sandbox", "--disable-dev-shm-usage"]}


def write_workspace(folder: Path, url: str = "http://127.0.0.1:1", tier: str = "observe") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "flyball.yaml").write_text(WORKSPACE % url)
    (folder / "ladder.yaml").write_text(LADDER % tier)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return write_workspace(tmp_path / "w")


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    """A day of one an hour, but for 10:00 to 12:00, which cost three."""
    rows = [
        row(
            EffectiveCost="3" if 10 <= hour < 12 else "1",
            ChargePeriodStart=f"{FIRST + hour * HOUR:%Y-%m-%dT%H:%M:%SZ}",
            ChargePeriodEnd=f"{FIRST + (hour + 1) * HOUR:%Y-%m-%dT%H:%M:%SZ}",
            ServiceName="LLM",
        )
        for hour in range(24)
    ]
    return write_csv(tmp_path / "bill.csv", *rows)


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    path = tmp_path / "traffic.csv"
    lines = [f"{FIRST + hour * HOUR:%Y-%m-%dT%H:%MZ},3600,100" for hour in range(24)]
    path.write_text("\n".join(["time,units,users", *lines]))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_a_bill_is_simulated_as_one_can_tell_by_hand(workspace: Path, bill: Path, traffic: Path) -> None:
    found = run(workspace, "--focus", bill, "--traffic", traffic, "--json")
    assert found.exit_code == 0, found.output
    (policy,) = json.loads(found.stdout)["policies"]
    # The burn rate of an hour is 2 at 10:30. It takes three samples, a minute apart: 10:32. The tier saves a sixth of
    # what is spent. At 12:45 the burn rate is 1.25, and would be 1.42 without the tier, less than 1.5; three samples,
    # and it is left. Each step takes 12 s. Saved: 92.8 min x 0.5 + 42.2 min x 0.5 / 3.
    assert [(each["at"], each["from"], each["to"]) for each in policy["timeline"]] == [
        ("2026-10-05T10:32:00Z", 0, 1),
        ("2026-10-05T12:47:00Z", 1, 0),
    ]
    assert policy["totals"]["degraded_minutes"] == 135
    assert policy["totals"]["degraded_user_minutes"] == "13500"
    assert policy["totals"]["saved"] == "0.890556"
    assert policy["totals"]["spent"] == "28"
    assert policy["history"] == "History from bill.csv"


@pytest.mark.parametrize(
    ("condition", "status"), [("flaps>0", 0), ("moves>1", 1), ("max_tier == 1", 1), ("saved<0.8", 0)]
)
def test_a_condition_fails_the_build(workspace: Path, bill: Path, condition: str, status: int) -> None:
    found = run(workspace, "--focus", bill, "--fail-on", condition)
    assert found.exit_code == status
    assert ("Failed: shop: " in found.stdout) is bool(status)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--fail-on", "flap>0"), "did you mean `flaps`?"),
        (("--since", "soon"), "neither a length such as 30d"),
        (("--journey-failures", "2"), "no number from 0 to 1"),
        (("--weight", "x"), "write it as 3=0.5"),
        (("--weight", "9=0.5"), "there is no tier 9: the highest is"),
        (("--approval-after", "5m", "--no-approvals"), "nobody approves"),
        (("--traffic", "x.csv"), "goes with --focus"),
    ],
)
def test_a_mistake_in_an_option_is_a_usage_error(workspace: Path, arguments: tuple[str, ...], says: str) -> None:
    found = run(workspace, *arguments)
    assert found.exit_code == 2
    assert says in " ".join(found.stderr.replace("│", "").split())


def test_a_time_that_ends_before_it_begins_is_a_usage_error(workspace: Path, bill: Path) -> None:
    found = run(workspace, "--focus", bill, "--since", "2026-11-10T12:00:00Z", "--until", "2026-11-10T11:00:00Z")
    assert found.exit_code == 2
    assert "must be before --until" in found.stderr


def test_money_of_another_currency_is_not_known_rather_than_nothing(
    workspace: Path, bill: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text(bill.read_text().replace("USD", "EUR"))
    found = run(workspace, "--focus", other)
    assert found.exit_code == 3
    assert "is in USD, and the bills have charges of it in EUR only" in " ".join(found.stderr.split())
    both = tmp_path / "both.csv"
    both.write_text(bill.read_text() + "".join(other.read_text().splitlines(keepends=True)[1:3]))
    assert "in EUR, too: these do not count." in " ".join(run(workspace, "--focus", both).stdout.split())


def test_policies_are_compared(workspace: Path, bill: Path, tmp_path: Path) -> None:
    other = tmp_path / "lazy.yaml"
    other.write_text((LADDER % "observe").replace("burn: 2}", "burn: 9}"))
    found = run(workspace, "--focus", bill, "--compare", other, "--fail-on", "moves==0")
    assert found.exit_code == 0, found.output  # conditions are about the workspace's own
    assert "shop (lazy.yaml) │·····" in found.stdout
    assert "It would not have moved." in found.stdout


def test_what_cannot_be_read_is_told(workspace: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text("a,b\n1,2\n")
    assert run(workspace, "--focus", broken).exit_code == 1
    (tmp_path / "t.csv").write_text("time,units\nnever,1\n")
    found = run(workspace, "--focus", broken, "--traffic", tmp_path / "t.csv")
    assert (found.exit_code, "`never` is no time" in found.stderr) == (1, True)
    gone = run(workspace, "--since", "1h")
    assert (gone.exit_code, "Not simulated: " in gone.stderr) == (3, True)
    (workspace / "ladder.yaml").unlink()
    none = run(workspace)
    assert (none.exit_code, "declares no Ladder" in none.stderr) == (1, True)


def test_a_page_escapes_what_users_wrote(tmp_path: Path, bill: Path) -> None:
    workspace = write_workspace(tmp_path / "w")
    other = tmp_path / "<img src=x onerror=alert(1)>.yaml"
    other.write_text(LADDER % "observe")
    page = tmp_path / "page.html"
    assert run(workspace, "--focus", bill, "--compare", other, "--html", page).exit_code == 0
    text = page.read_text()
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A day of burn rates that ends now; two hours of it are too fast."""
    end = int(datetime.now(UTC).timestamp()) // 60 * 60
    at = np.arange(end - 86_400, end + 1, 60)
    burn = np.where((at > end - 40_000) & (at < end - 32_800), 3.0, 0.8)
    with servers.prometheus(tmp_path_factory.mktemp("p"), out_of_order="30d", block_duration="30d") as server:
        with RemoteWriter(server.url) as writer:
            for name, values in (
                ("budget:burn_rate:1h", burn), ("budget:spend:sum1h", burn), ("budget:spend:rolling5m", burn / 12),
                ("budget:expected:sum1h", np.ones(at.size)), ("active_users", np.full(at.size, 50.0)),
            ):  # fmt: skip
                of = {} if name == "active_users" else {"budget": "llm", "currency": "USD"}
                labels = encoded_labels({"__name__": name, **of})
                writer.write_columns([ColumnarSeries(labels, at * 1000, values.astype(float))])
        yield server


def test_what_prometheus_recorded_is_simulated(tmp_path: Path, server: Server) -> None:
    workspace = write_workspace(tmp_path / "w", server.url)
    found = run(workspace, "--since", "23h", "--users-query", "sum(active_users)", "--json")
    assert found.exit_code == 0, found.output
    (policy,) = json.loads(found.stdout)["policies"]
    assert [(each["from"], each["to"]) for each in policy["timeline"]] == [(0, 1), (1, 0)]
    totals = policy["totals"]
    assert 110 < totals["degraded_minutes"] < 130
    assert float(totals["degraded_user_minutes"]) == pytest.approx(50 * totals["degraded_minutes"])
    assert float(totals["saved"]) == pytest.approx(
        0.5 * totals["degraded_minutes"] / 60, rel=0.02
    )  # it ends with less spend
    assert totals["minutes_without_data"] == 0


@pytest.mark.soak
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_for_everybody(tmp_path: Path, bill: Path, browser: Browser, scheme: str) -> None:
    workspace, page = write_workspace(tmp_path / "w"), tmp_path / "page.html"
    other = tmp_path / "lazy.yaml"
    other.write_text((LADDER % "observe").replace("samples: 3", "samples: 30"))
    assert run(workspace, "--focus", bill, "--compare", other, "--html", page, "--fail-on", "moves>0").exit_code == 1
    for width in (1280, 360):
        opened = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
        opened.goto(page.as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        opened.evaluate(AXE.read_text())
        assert opened.evaluate("axe.run().then(found => found.violations.map(each => each.id))") == []
        opened.close()
