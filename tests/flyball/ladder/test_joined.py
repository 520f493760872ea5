"""The ladder joined to journeys, flag stores and the kill switch."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from controlplane.adapters.clock import SystemClock
from controlplane.model.check import Outcome
from controlplane.model.source import SourcePosition
from controlplane.ports import Permanent
from controlplane.specfile import SourceFile, read
from finops.flags.model import DeclaredFlag, DeclaredStore, FlagType
from flyball.demo import servers
from flyball.ladder.journeys import UNDECLARED, DeclaredJourneys
from flyball.ladder.stores import DeclaredStores
from flyball.ladder_settings import LadderSettings
from flyball.synthetics.declared import KINDS, ChecksDeclared, checks_of
from flyball.synthetics.region_checks import RegionChecks

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HERE = SourcePosition("flags.yaml", 1, 1)
FLAG = DeclaredFlag("calm", FlagType.BOOLEAN, False, "team-platform", HERE)


class Shop(BaseHTTPRequestHandler):
    """Answers 200 at /ok and 503 elsewhere."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ok" else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def shop() -> Iterator[int]:
    server = ThreadingHTTPServer((servers.LOOPBACK, 0), Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def declared(url: str, further: str = "") -> ChecksDeclared:
    text = f"""
apiVersion: flyball.dev/v1
kind: Journey
metadata: {{name: buy}}
spec:
  interval: 5m
  steps: [{{name: look, http: {{url: "{url}/ok"}}, expect: [{{status: 200}}]}}]
---
apiVersion: flyball.dev/v1
kind: Journey
metadata: {{name: pay}}
spec:
  interval: 5m
  steps: [{{name: pay, http: {{url: "{url}/pay"}}, expect: [{{status: 200}}]}}]
{further}"""
    found = read([SourceFile("checks.yaml", text.encode())], KINDS)
    checks, problems = checks_of(found.documents)
    assert [*found.problems, *problems] == []
    return checks


def runner(checks: ChecksDeclared, folder: Path) -> DeclaredJourneys:
    maker = RegionChecks("local", folder, folder / "artifacts", lambda count: b"\x01" * count)
    return DeclaredJourneys(lambda: checks, maker, SystemClock())


def test_journeys_are_walked_in_order_and_one_that_is_not_declared_is_a_fault(tmp_path: Path, shop: int) -> None:
    checks = declared(f"http://{servers.LOOPBACK}:{shop}")
    results = runner(checks, tmp_path).run(["buy", "nowhere", "pay"], NOW)
    assert [(each.check, each.outcome) for each in results] == [
        ("buy", Outcome.OK), ("nowhere", Outcome.FAULT), ("pay", Outcome.FAILED),
    ]  # fmt: skip
    assert results[0].started_at == NOW
    assert results[1].reason == UNDECLARED
    assert runner(checks, tmp_path).run([], NOW) == []


def test_where_this_process_is_no_region_a_journey_resolves_as_a_region_does(tmp_path: Path, shop: int) -> None:
    region = f"""---
apiVersion: flyball.dev/v1
kind: Region
metadata: {{name: eu}}
spec:
  resolve: {{"shop.example:80": "{servers.LOOPBACK}:{shop}"}}
"""
    checks = declared("http://shop.example", region)
    (result,) = runner(checks, tmp_path).run(["buy"], NOW)
    assert (result.region, result.outcome) == ("eu", Outcome.OK)


def flagd_store(path: Path) -> DeclaredStore:
    content = {"flags": {"calm": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}}}
    path.write_text(json.dumps(content))
    return DeclaredStore("platform", "flagd", (("file", path.name),), (FLAG,), HERE)


def test_a_store_stays_open_while_its_document_does_not_change(tmp_path: Path) -> None:
    store = flagd_store(tmp_path / "flags.json")
    current = [store]
    stores = DeclaredStores(lambda: current, tmp_path, SystemClock())
    with stores("platform") as first, stores("platform") as again:
        assert first is again
        assert first.store.read([FLAG])["calm"].value is False
    current[0] = replace(store, flags=())
    with stores("platform") as anew:
        assert anew is not first
    stores.close()


def test_a_store_that_is_not_declared_or_lacks_its_secret_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (("url", "http://127.0.0.1:1"), ("project", "default"), ("environment", "production"),
               ("tokenFrom", "SHOP_TOKEN"), ("clientTokenFrom", "SHOP_CLIENT"))  # fmt: skip
    unleash = DeclaredStore("shop", "unleash", options, (), HERE)
    stores = DeclaredStores(lambda: [unleash], tmp_path, SystemClock())
    with pytest.raises(Permanent, match="no FlagStore `nowhere` is declared"), stores("nowhere"):
        pass
    with pytest.raises(Permanent, match="SHOP_TOKEN"), stores("shop"):
        pass
    (tmp_path / "token").write_text("*:*.secret\n")
    monkeypatch.setenv("SHOP_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("SHOP_CLIENT", "default:production.secret")
    with stores("shop") as opened:
        assert opened.store.capabilities.can_write
    monkeypatch.setenv("SHOP_CLIENT_FILE", str(tmp_path / "gone"))
    monkeypatch.delenv("SHOP_CLIENT")
    stores.close()
    with pytest.raises(Permanent, match="the file that SHOP_CLIENT_FILE names cannot be read"), stores("shop"):
        pass


@pytest.mark.parametrize(("text", "stops"), [("", False), ("0", False), ("No", False), ("1", True), ("maybe", True)])
def test_the_kill_switch_of_the_environment_stops_unless_it_says_no(tmp_path: Path, text: str, stops: bool) -> None:
    assert bool(LadderSettings(tmp_path / "ladder.stop", text).why_stopped()) is stops


def test_the_kill_switch_is_set_while_its_file_is_there_whatever_it_is(tmp_path: Path) -> None:
    settings = LadderSettings(tmp_path / "ladder.stop")
    assert settings.why_stopped() == ""
    settings.stop_file.symlink_to("nowhere")
    assert settings.why_stopped() == f"{settings.stop_file} is there"
    settings.stop_file.unlink()
    assert settings.why_stopped() == ""
