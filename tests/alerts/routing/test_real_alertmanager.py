"""What a real Alertmanager delivers with the file that we write: to which of our routes, and when not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import yaml

from alerts.maintenance.declared import declared as windows_of
from alerts.routing.alertmanager_yaml import alertmanager_yaml
from alerts.routing.router import Router
from flyball.demo.servers import alertmanager
from tests.alerts.routing.reading import documents, of, root
from tests.flyball.running import eventually

WINDOWS = of("MaintenanceWindow", "nights", "weekly: [{}]") + "---\n" + of(
    "MaintenanceWindow", "office-hours", "spans: [{from: 2020-01-01T00:00Z, until: 2020-01-02T00:00Z}]"
)  # fmt: skip
TREE = root(
    of("Route", "default", "default: true\nreceivers: [chat]\ngroupWait: 0s\ngroupInterval: 1s"),
    of("Route", "audit", "order: 1\nmatch: ['audit=\"yes\"']\ncontinue: true"),
    of("Route", "always", "order: 2\nmatch: ['team=a']\nactiveDuring: [nights]"),
    of("Route", "never", "order: 3\nmatch: ['team=b']\nactiveDuring: [office-hours]"),
    of("Route", "muted", "order: 4\nmatch: ['team=c']\nmuteDuring: [nights]"),
    of("Route", "pages", "order: 5\nmatch: ['severity=page']\nroutes: [{name: db, match: ['service=~\"db.*\"']}]"),
)
ALERTS = (
    {"alertname": "A", "severity": "page", "service": "db-1"},
    {"alertname": "B", "severity": "page", "audit": "yes"},
    {"alertname": "C", "team": "a"},
    {"alertname": "D", "team": "b"},
    {"alertname": "E", "team": "c"},
    {"alertname": "F"},
    {"alertname": "G", "severity": "info"},
    {"alertname": "Watchdog", "severity": "none"},
)


class Received:
    """What came: (receiver, alert), each with the token."""

    def __init__(self) -> None:
        self.told: set[tuple[str, str]] = set()
        self.tokens: set[str] = set()


@contextmanager
def listening() -> Iterator[tuple[str, Received]]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.tokens.add(f"{self.path} {self.headers['Authorization']}")
            received.told |= {(body["receiver"], alert["labels"]["alertname"]) for alert in body["alerts"]}
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_alertmanager_delivers_each_alert_to_the_routes_that_we_choose_unless_they_are_muted(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret")
    windows = windows_of(documents(WINDOWS)).values
    now = datetime.now(UTC)
    with listening() as (url, received):
        text = alertmanager_yaml(TREE, windows, [], external_url=url, credentials_file=str(tmp_path / "token"))
        with alertmanager(tmp_path / "alertmanager", config=yaml.safe_load(text)) as server:
            posted = [{"labels": labels, "startsAt": now.isoformat()} for labels in ALERTS]
            httpx.post(f"{server.url}/api/v2/alerts", json=posted).raise_for_status()
            router = Router(TREE, windows)
            expected = {
                (routed.route, labels["alertname"])
                for labels in ALERTS
                for routed in router.routes_of(labels, now)
                if not routed.is_muted
            }
            eventually(lambda: received.told >= expected)
    assert received.told == expected
    assert {name for name, _ in expected} == {"pages/db", "audit", "pages", "always", "default", "record", "watchdog"}
    assert received.tokens == {"/hooks/alertmanager Bearer s3cret"}
