"""One incident, one notification: the inhibition rules that are written, in a real Alertmanager."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import yaml

from controlplane.model.alerting import STANDARD_ALERTING, AlertText
from controlplane.model.slo import SLO
from flyball.demo import servers
from slo.inhibition import group_by, inhibit_rules
from tests.slo.slos import an_slo, requests

LOUD = replace(
    STANDARD_ALERTING, page=AlertText(name="Loud (really)", severity="critical"), absence=AlertText(name="Gone")
)
SLOS = [
    an_slo("checkout", requests("checkout")),
    an_slo("tenants", requests("tenants"), groups=("tenant",)),
    an_slo("loud", requests("loud"), alerting=LOUD),
]


def config(slos: list[SLO], url: str) -> dict[str, object]:
    route = {
        "receiver": "here", "group_by": list(group_by(slos)), "group_wait": "200ms", "group_interval": "300ms",
        "repeat_interval": "1h",
    }  # fmt: skip
    receivers = [{"name": "here", "webhook_configs": [{"url": url}]}]
    return {"route": route, "receivers": receivers, **yaml.safe_load(inhibit_rules(slos))}


@contextmanager
def receiver() -> Iterator[tuple[str, list[list[str]]]]:
    """A webhook, and the alerts of each notification that it got: `slo severity tenant`."""
    told: list[list[str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            shown = [alert["labels"] for alert in body["alerts"] if alert["status"] == "firing"]
            told.append(sorted(f"{it['slo']} {it['severity']} {it.get('tenant', '')}".strip() for it in shown))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            del args

    server = ThreadingHTTPServer((servers.LOOPBACK, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{servers.LOOPBACK}:{server.server_port}/", told
    finally:
        server.shutdown()
        server.server_close()


def alert(slo: str, severity: str, name: str = "SLOErrorBudgetBurn", **more: str) -> dict[str, object]:
    labels = {"alertname": name, "slo": slo, "severity": severity, **more}
    return {"labels": labels, "startsAt": datetime.now(UTC).isoformat()}


def test_a_page_mutes_the_ticket_of_the_same_budget_and_no_other(tmp_path: Path) -> None:
    pages = [
        alert("checkout", "page"),
        alert("tenants", "page", tenant="acme"),
        alert("loud", "critical", "Loud (really)"),
    ]
    tickets = [
        alert("checkout", "ticket"),
        alert("tenants", "ticket", tenant="acme"),
        alert("tenants", "ticket", tenant="quiet"),
        alert("loud", "ticket"),
        alert("loud", "ticket", "Gone"),
        alert("checkout", "ticket", "SomebodyElses"),
    ]
    with (
        receiver() as (url, told),
        servers.alertmanager(tmp_path / "alertmanager", config=config(SLOS, url)) as server,
    ):
        post(server.url, pages)
        eventually(lambda: sorted(told) == [["checkout page"], ["loud critical"], ["tenants page acme"]])
        post(server.url, tickets)
        eventually(lambda: len(muted(server.url)) == 4 and len(told) == 5)
        assert muted(server.url) == ["checkout ticket", "loud ticket", "loud ticket", "tenants ticket"]
    # Somebody else's rule with our labels is told, beside the page of its group; what is muted never is.
    assert sorted(told[3:]) == [["checkout page", "checkout ticket"], ["tenants ticket quiet"]]


def post(url: str, alerts: list[dict[str, object]]) -> None:
    assert httpx.post(f"{url}/api/v2/alerts", json=alerts).is_success


def muted(url: str) -> list[str]:
    known = httpx.get(f"{url}/api/v2/alerts").json()
    return sorted(f"{it['labels']['slo']} {it['labels']['severity']}" for it in known if it["status"]["inhibitedBy"])


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not holds():
        time.sleep(0.02)


@pytest.mark.parametrize("slos", [[], SLOS[:1], SLOS], ids=["none", "one", "several"])
def test_amtool_accepts_a_configuration_made_of_it(slos: list[SLO], tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text("route: {receiver: here}\nreceivers: [{name: here}]\n" + inhibit_rules(slos))
    done = subprocess.run(["amtool", "check-config", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{min(len(slos), 2)} inhibit rules" in done.stdout


def test_the_same_slos_give_the_same_rules_in_any_order() -> None:
    assert inhibit_rules(SLOS) == inhibit_rules(SLOS[::-1])
    assert "group_by: [slo, tenant]" in inhibit_rules(SLOS)
