"""`flyball probe`: what it prints, and its exit status."""

import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flyball.cli.probe import app

_PROBES = """\
apiVersion: flyball.dev/v1
kind: Probe
metadata: {name: shop, displayName: The shop}
spec:
  target: URL/
  http: {headers: {Authorization: "Bearer ${env:SHOP_TOKEN}"}}
  assertions:
    - status: 200
    - jsonPath: {path: $.state, equals: open}
    - latency: {atMost: 30s}
---
apiVersion: flyball.dev/v1
kind: Probe
metadata: {name: closed}
spec:
  target: URL/closed
  regions: [eu]
  http: {}
---
apiVersion: flyball.dev/v1
kind: Region
metadata: {name: eu}
spec:
  resolve: {"shop.invalid:80": "127.0.0.1:PORT"}
---
apiVersion: flyball.dev/v1
kind: Probe
metadata: {name: pinned}
spec: {target: "http://shop.invalid/", http: {}}
---
apiVersion: flyball.dev/v1
kind: ProbeModule
metadata: {name: own}
spec: {description: Ours, icmp: {}}
"""
_ADDRESS = re.compile(r"http://127\.0\.0\.1:[0-9]+|127\.0\.0\.1:[0-9]+")


class _Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_open = self.path == "/"
        body = b'{"state": "open"}' if is_open else b"{}"
        self.send_response(200 if is_open else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Shop) as server:
        port = str(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        text = _PROBES.replace("URL", f"http://127.0.0.1:{port}").replace("PORT", port)
        (tmp_path / "probes.yaml").write_text(text)
        yield tmp_path
        server.shutdown()


def called(*arguments: str, token: str | None = "s3cret-token") -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"SHOP_TOKEN": token})
    text = _ADDRESS.sub("ADDRESS", re.sub(r"[0-9a-f]{32}", "ID", result.output))
    return result.exit_code, re.sub(r" +[█▏▎▍▌▋▊▉]+", " BAR", re.sub(r" *[0-9.]+ ms\b", " N ms", text))


def test_a_run_shows_phases_assertions_and_its_trace(workspace: Path) -> None:
    code, text = called("run", "shop", str(workspace))
    assert code == 0
    assert text.replace(" BAR", "") == (
        "The shop: ok in N ms, from region local\n"
        "\n"
        "resolve N ms\n"
        "connect N ms\n"
        "processing N ms\n"
        "transfer N ms\n"
        "\n"
        "✓ status is 200                200\n"
        '✓ $.state is "open"            open\n'
        "✓ all of it takes at most 30s N ms\n"
        "\n"
        "trace ID\n"
    )
    assert " BAR" in text


def test_a_failed_run_is_exit_status_1_and_json_says_all(workspace: Path) -> None:
    code, text = called("run", "closed", str(workspace))
    assert code == 1
    assert "closed: failed in" in text
    assert "✗ status is 2xx  503" in text
    result = CliRunner().invoke(app, ["run", "closed", str(workspace), "--json"])
    said = json.loads(result.output)
    assert (said["outcome"], said["reason"], result.exit_code) == ("failed", "status", 1)
    assert [phase["name"] for phase in said["phases"]] == ["resolve", "connect", "processing", "transfer"]
    assert {"asserts": "status is 2xx", "kind": "status", "holds": False, "saw": "503"} in said["assertions"]


def test_a_fault_of_the_prober_is_exit_status_3(workspace: Path) -> None:
    code, text = called("run", "shop", str(workspace), token=None)
    assert code == 3
    assert "variable: the environment variable SHOP_TOKEN is not set" in text


def test_a_region_resolves_names_in_its_own_way(workspace: Path) -> None:
    assert called("run", "pinned", str(workspace), "--region", "eu")[0] == 0
    code, text = called("run", "pinned", str(workspace))
    assert (code, "dns: " in text) == (1, True)
    code, text = called("run", "pinned", str(workspace), "--region", "ap")
    assert (code, text) == (1, "no Region is named `ap`: there is eu\n")


def test_a_name_that_is_not_there_is_told_with_the_one_that_may_be_meant(workspace: Path) -> None:
    assert called("run", "shpo", str(workspace)) == (1, "no Probe is named `shpo`: did you mean `shop`?\n")


def test_probes_are_listed(workspace: Path, tmp_path: Path) -> None:
    assert called("list", str(workspace)) == (
        0,
        "PROBE   PROTOCOL  EVERY  REGIONS  TARGET\n"
        "closed  http      30s    eu       ADDRESS/closed\n"
        "pinned  http      30s    all      http://shop.invalid/\n"
        "shop    http      30s    all      ADDRESS/\n",
    )
    listed = json.loads(CliRunner().invoke(app, ["list", str(workspace), "--json"]).output)
    assert (listed[0]["name"], listed[0]["interval_seconds"]) == ("closed", 30.0)
    (tmp_path / "empty").mkdir()
    assert "declares no Probe: docs/how-to/probe-an-endpoint.md" in called("list", str(tmp_path / "empty"))[1]


def test_verbose_runs_tell_hops_and_metrics_and_no_secret(workspace: Path) -> None:
    _, text = called("run", "shop", str(workspace), "--verbose")
    assert "connecting to ADDRESS for ADDRESS/" in text
    assert "probe_http_status_code 200" in text
    assert "s3cret-token" not in text


def test_modules_are_listed_with_those_that_are_built_in(workspace: Path) -> None:
    code, text = called("modules", str(workspace))
    assert code == 0
    assert "http_2xx       http       built in" in text
    assert re.search(r"^own .*Ours$", text, re.MULTILINE)


def test_a_blackbox_configuration_is_converted(tmp_path: Path) -> None:
    path = tmp_path / "blackbox.yml"
    path.write_text("modules: {a: {prober: http, http: {method: HEAD, proxy_url: 'http://p'}}}")
    result = CliRunner().invoke(app, ["modules", "--blackbox", str(path)])
    assert (result.exit_code, "name: a" in result.stdout, "proxy_url is not carried over" in result.stderr) == (
        0,
        True,
        True,
    )
    path.write_text("nothing")
    assert called("modules", "--blackbox", str(path))[0] == 1
    assert called("modules", "--blackbox", str(tmp_path / "none"))[0] == 1
