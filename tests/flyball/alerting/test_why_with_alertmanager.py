"""`flyball alerts why` about alerts that a real Alertmanager keeps quiet: by a silence, and by another alert."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from alerts.explaining.fingerprints import fingerprint_of
from flyball.cli.alerts_why import why
from flyball.demo.servers import alertmanager
from tests.flyball.alerting.workspaces import Workspace, workspace
from tests.flyball.running import eventually

DOWN = {"alertname": "Down", "service": "gateway", "severity": "page"}
SLOW = {"alertname": "Slow", "service": "gateway", "severity": "ticket"}
OTHER = {"alertname": "Slow", "service": "ingest", "severity": "ticket"}
CONFIG = {
    "route": {"receiver": "pages", "group_wait": "1h"},
    "receivers": [{"name": "pages"}],
    "inhibit_rules": [
        {"source_matchers": ['severity="page"'], "target_matchers": ['severity="ticket"'], "equal": ["service"]}
    ],
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        yield made


def test_who_keeps_an_alert_quiet_is_named_though_it_never_reached_us(shop: Workspace, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    silence = {
        "matchers": [{"name": "service", "value": "ingest", "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "ann", "comment": "reindexing",
    }  # fmt: skip
    with alertmanager(tmp_path / ".alertmanager", config=CONFIG) as held:
        shop.write(
            "flyball.yaml", f"apiVersion: flyball.dev/v1\nkind: Workspace\nspec:\n  alertmanager: {{url: {held.url}}}\n"
        )
        assert httpx.post(f"{held.url}/api/v2/silences", json=silence).is_success
        posted = [{"labels": labels} for labels in (DOWN, SLOW, OTHER)]
        assert httpx.post(f"{held.url}/api/v2/alerts", json=posted).is_success

        def states() -> list[str]:
            return sorted(each["status"]["state"] for each in httpx.get(f"{held.url}/api/v2/alerts").json())

        def quiet(labels: dict[str, str]) -> str:
            found = shop.data(why, fingerprint_of(labels), str(shop.folder))
            assert found["alerts"][0]["labels"] == labels
            return str(found["alerts"][0]["quiet_now"])

        eventually(lambda: states() == ["active", "suppressed", "suppressed"])
        assert quiet(SLOW) == 'Alertmanager inhibits it: Down{service="gateway", severity="page"} fires'
        silenced = quiet(OTHER)
        assert silenced.startswith("Alertmanager silences it: silence ")
        assert ' of ann for service="ingest" until ' in silenced
        assert silenced.endswith(": reindexing")
        code, output = shop.run(why, fingerprint_of(DOWN), str(shop.folder))
    assert (code, output.splitlines()[0]) == (
        0,
        "Nobody was told: Alertmanager holds it, and has not told us of it yet",
    )
