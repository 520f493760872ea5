"""A real Alertmanager delivers to us: firing, resolved, and again after we were away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from controlplane import conventions
from controlplane.adapters.alertmanager import AlertmanagerBackend
from controlplane.model.alert import AlertStatus, StoredAlert
from controlplane.ports import Transient
from flyball.demo.servers import alertmanager
from tests.flyball.running import NOWHERE, TOKEN, Replica, eventually, replica, settings_in


def config(url: str, secret: Path) -> dict[str, object]:
    receiver = {
        "url": f"{url}/hooks/alertmanager",
        "send_resolved": True,
        "http_config": {"authorization": {"type": "Bearer", "credentials_file": str(secret)}},
    }
    return {
        "route": {
            "receiver": "flyball",
            "group_by": ["slo"],
            "group_wait": "100ms",
            "group_interval": "500ms",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "flyball", "webhook_configs": [receiver]}],
    }


def raise_alert(url: str, started: datetime, ended: datetime | None = None) -> None:
    labels = {"alertname": "SLOErrorBudgetBurn", "slo": "checkout", "severity": "page"}
    posted = {"labels": labels, "annotations": {"summary": "checkout burns"}, "startsAt": started.isoformat()}
    if ended:
        posted["endsAt"] = ended.isoformat()
    assert httpx.post(f"{url}/api/v2/alerts", json=[posted]).is_success


def known(one: Replica) -> list[StoredAlert]:
    with one.services.store.transaction(read_only=True) as transaction:
        return transaction.alerts.recent(10)


def test_an_alert_fires_is_stored_and_resolves(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    started = datetime.now(UTC) - timedelta(minutes=1)
    settings = settings_in(tmp_path)
    with replica(settings) as one, alertmanager(tmp_path / "alertmanager", config=config(one.url, secret)) as sender:
        raise_alert(sender.url, started)
        eventually(lambda: known(one))
        (fired,) = known(one)
        assert fired.alert.status is AlertStatus.FIRING
        assert fired.alert.ends_at is None
        assert abs(fired.alert.starts_at - started) < timedelta(milliseconds=1)
        assert fired.alert.labels["slo"] == "checkout"
        raise_alert(sender.url, started, started + timedelta(seconds=30))
        eventually(lambda: known(one)[0].alert.status is AlertStatus.RESOLVED)
        (resolved,) = known(one)
        assert resolved.alert.ends_at is not None
        assert resolved.alert.key == fired.alert.key
        one.run("delivery")
        lines = one.console.getvalue().splitlines()
        assert [" FIRING " in line or " RESOLVED " in line for line in lines].count(True) == 2
        text = one.client.get("/metrics").text
        assert f'{conventions.WEBHOOK_REQUESTS}{{code="200",hook="alertmanager"}}' in text


def test_an_alert_that_fired_while_we_were_away_arrives_when_we_are_back(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    started = datetime.now(UTC) - timedelta(minutes=1)
    with replica(settings_in(tmp_path)) as first:
        url = first.url
    with alertmanager(tmp_path / "alertmanager", config=config(url, secret)) as sender:
        raise_alert(sender.url, started)
        failed = "alertmanager_notification_requests_failed_total"
        eventually(lambda: any(
            line.startswith(failed) and 'integration="webhook"' in line and not line.endswith(" 0")
            for line in httpx.get(f"{sender.url}/metrics").text.splitlines()
        ))  # fmt: skip
        with replica(settings_in(tmp_path, FLYBALL_LISTEN=url.removeprefix("http://"))) as second:
            eventually(lambda: known(second))
            assert [one.alert.status for one in known(second)] == [AlertStatus.FIRING]


def test_it_says_what_it_holds_silenced_alerts_too(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    started = datetime.now(UTC) - timedelta(minutes=1)
    with alertmanager(tmp_path / "alertmanager", config=config(NOWHERE, secret)) as server:
        backend = AlertmanagerBackend(server.url)
        assert backend.held() == {}
        silence = {
            "matchers": [{"name": "slo", "value": "checkout", "isRegex": False, "isEqual": True}],
            "startsAt": started.isoformat(), "endsAt": (started + timedelta(hours=1)).isoformat(),
            "createdBy": "me", "comment": "quiet",
        }  # fmt: skip
        assert httpx.post(f"{server.url}/api/v2/silences", json=silence).is_success
        raise_alert(server.url, started)
        eventually(backend.held)
        ((fingerprint, start),) = backend.held().items()
        assert len(fingerprint) == 16
        assert abs(start - started) <= timedelta(milliseconds=1)
        raise_alert(server.url, started, started + timedelta(seconds=30))
        eventually(lambda: not backend.held())
        backend.close()


@pytest.mark.parametrize("body", [b"[", b"{}", b"null", b'[{"fingerprint": "x"}]', b'[{"fingerprint":1,"startsAt":1}]'])
def test_half_an_answer_is_none(body: bytes) -> None:
    with answering(body) as url, pytest.raises(Transient, match="not its JSON"):
        AlertmanagerBackend(url).held()


def test_no_answer_is_none() -> None:
    with answering(b"[]", status=500) as url, pytest.raises(Transient, match="answered 500"):
        AlertmanagerBackend(url).held()
    with pytest.raises(Transient, match="unreachable"):
        AlertmanagerBackend(NOWHERE).held()


def test_only_an_alertmanager_that_somebody_named_is_asked(tmp_path: Path) -> None:
    with replica(settings_in(tmp_path)) as one:
        assert one.services.job("reconcile") is None
    with replica(settings_in(tmp_path, FLYBALL_ALERTMANAGER_URL="http://127.0.0.1:9093")) as one:
        assert one.services.job("reconcile") is not None


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[str]:
    """The address of a server that answers everything so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
