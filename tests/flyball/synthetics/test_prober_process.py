"""`flyball run prober` and the prober within `flyball up`, as processes that talk to each other."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from controlplane.model.check import CheckKind, Outcome
from flyball.cli import app
from flyball.cli import commands as commands
from flyball.demo.servers import end_with_parent, stop
from tests.flyball.processes import FLYBALL, Process, environment
from tests.flyball.running import Replica, eventually, replica, settings_in

TOKEN = "0123456789abcdef0123456789abcdef"
PROBE = """
apiVersion: flyball.dev/v1
kind: Probe
metadata: {{name: {name}}}
spec: {{target: "{target}", interval: 2s, timeout: 1s, http: {{}}}}
"""
REGION = """
apiVersion: flyball.dev/v1
kind: Region
metadata: {name: eu}
spec: {displayName: Europe}
"""


@dataclass(frozen=True)
class World:
    """A control plane, and a workspace with one probe of it, in the region eu."""

    plane: Replica
    workspace: Path

    def results(self, check: str) -> list[Outcome]:
        """Outcomes that the control plane has stored, oldest first."""
        with self.plane.services.store.transaction(read_only=True) as transaction:
            found = transaction.checks.latest(50, self.plane.services.clock.now().replace(year=2000))
        return [each.outcome for each in found if (each.kind, each.check) == (CheckKind.PROBE, check)]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "region.yaml").write_text(REGION)
    return folder


@pytest.fixture
def world(workspace: Path) -> Iterator[World]:
    with replica(settings_in(workspace, FLYBALL_PROBER_TOKENS=f"eu={TOKEN}")) as plane:
        (workspace / "probe.yaml").write_text(PROBE.format(name="plane", target=f"{plane.url}/healthz"))
        yield World(plane, workspace)


@contextmanager
def prober(world: World, *arguments: str, token: str = TOKEN, report_to: str = "") -> Iterator[Process]:
    out, err = world.workspace.parent / "prober.out", world.workspace.parent / "prober.err"
    to = report_to or world.plane.url
    with out.open("wb") as stdout, err.open("wb") as stderr:
        child = subprocess.Popen(
            [FLYBALL, "run", "prober", world.workspace, "--region", "eu", "--report-to", to, *arguments],
            env=environment(FLYBALL_PROBER_TOKEN=token), stdout=stdout, stderr=stderr, preexec_fn=end_with_parent,
        )  # fmt: skip
    try:
        yield Process(child, out, err)
    finally:
        stop(child, 30)


def refused(workspace: Path, *arguments: str, **variables: str) -> Result:
    cleared = dict.fromkeys(("FLYBALL_PROBER_TOKEN", "FLYBALL_REPORT_TO", "FLYBALL_REGION"))
    return CliRunner().invoke(app, ["run", "prober", str(workspace), *arguments], env={**cleared, **variables})


def test_a_prober_elsewhere_reports_takes_edits_and_ends_with_its_signal(world: World) -> None:
    with prober(world, "--listen", "127.0.0.1:0") as process:
        eventually(lambda: world.results("plane"))
        assert set(world.results("plane")) == {Outcome.OK}
        address = process.logged("prober.listening")[0]["address"]
        assert "flyball_prober_checks" in httpx.get(f"http://{address}/metrics").text
        asked = httpx.get(f"http://{address}/probe", params={"target": f"{world.plane.url}/healthz", "module": "plane"})
        assert "probe_success 1" in asked.text

        (world.workspace / "broken.yaml").write_text("kind: Probe\napiVersion: flyball.dev/v1\n")
        eventually(lambda: process.logged("prober.files_refused"))
        (world.workspace / "broken.yaml").write_text(PROBE.format(name="second", target=f"{world.plane.url}/readyz"))
        eventually(lambda: world.results("second"))

        process.child.send_signal(signal.SIGTERM)
        assert process.child.wait(30) == 0
        assert process.logs()[-1]["event"] == "prober.stopped"
    assert TOKEN not in process.err.read_text() + process.out.read_text()


def test_what_was_seen_while_nobody_listened_arrives_once(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with prober(world, report_to=f"http://127.0.0.1:{port}") as process:
        eventually(lambda: process.logged("prober.not_reported"))
        eventually(lambda: len(list((world.workspace / ".flyball/checks").glob("spool-eu.db"))) == 1)
        process.kill()
    assert world.results("plane") == []
    with prober(world):
        eventually(lambda: len(world.results("plane")) >= 2)
    with world.plane.services.store.transaction(read_only=True) as transaction:
        (total,) = (each for each in transaction.checks.totals() if each.check == "plane")
    assert total.ok == len(world.results("plane"))


def test_a_wrong_token_is_refused_and_said(world: World) -> None:
    with prober(world, token="f" * 32) as process:
        eventually(lambda: process.logged("prober.not_reported"))
        assert "401" in process.logged("prober.not_reported")[0]["reason"]
    assert world.results("plane") == []
    assert 'outcome="forged"' in httpx.get(f"{world.plane.url}/metrics").text


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ([], {"FLYBALL_PROBER_TOKEN": TOKEN}, "nobody to report to"),
        (["--region", "eu", "--report-to", "https://flyball.example"], {}, "set FLYBALL_PROBER_TOKEN"),
        (["--region", "eu", "--report-to", "http://a.example"], {"FLYBALL_PROBER_TOKEN": TOKEN}, "go over https"),
        (["--report-to", "https://flyball.example"], {"FLYBALL_PROBER_TOKEN": "short"}, "at least 32 characters"),
        (["--region", "EU!"], {"FLYBALL_PROBER_TOKEN": TOKEN}, "must be the name of a region"),
        (["--region", "ue", "--report-to", "https://flyball.example"], {"FLYBALL_PROBER_TOKEN": TOKEN}, "`ue`"),
    ],
)
def test_what_is_missing_is_said(workspace: Path, arguments: list[str], variables: dict[str, str], said: str) -> None:
    done = refused(workspace, *arguments, **variables)
    assert done.exit_code in (1, 3)
    assert said in done.stderr


def test_only_a_prober_has_a_region(workspace: Path) -> None:
    done = CliRunner().invoke(app, ["run", "tidy", str(workspace), "--region", "eu"])
    assert done.exit_code == 2
    assert "only a prober has a region" in done.stderr


def test_without_regions_the_control_plane_probes_by_itself(world: World) -> None:
    (world.workspace / "region.yaml").unlink()
    world.plane.run("files")
    world.plane.services.leadership.renew()
    world.plane.run("probes")
    eventually(lambda: world.results("plane"))
    world.plane.run("verdicts")
    text = httpx.get(f"{world.plane.url}/metrics").text
    assert 'probe_success{probe="plane",region="local"} 1.0' in text
    assert 'flyball_check_verdict{kind="probe",check="plane",verdict="up"} 1' in text


def test_where_regions_are_declared_the_control_plane_leaves_them_to_their_probers(world: World) -> None:
    world.plane.run("files")
    world.plane.services.leadership.renew()
    world.plane.run("probes")
    world.plane.run("verdicts")
    assert world.results("plane") == []
    assert 'region="eu",state="pending"' in httpx.get(f"{world.plane.url}/metrics").text
