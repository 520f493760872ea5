"""A real Alertmanager delivers to us: firing, resolved, and again after we were away."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from controlplane import conventions
from controlplane.model.alert import AlertStatus, StoredAlert
from flyball.demo.servers import alertmanager
from tests.flyball.running import TOKEN, Replica, eventually, replica, settings_in


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
