"""What a tier explains is muted while it is in force, in a real Alertmanager."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import yaml

from controlplane.model.inhibition import Inhibition
from finops.ladder.inhibition import explained
from finops.ladder.model import Ladder
from flyball.demo import servers
from slo.inhibition import inhibit_rules
from tests.finops.ladder.ladders import a_ladder, a_tier, explaining

LADDER = a_ladder(
    tiers=(
        a_tier(1, "observe"),
        a_tier(2, "throttle", explains=explaining("alertname=SLOErrorBudgetBurn", 'slo=~subs.*|"odd"')),
        a_tier(3, "shed", explains=explaining("alertname=Slow enrichers")),
    )
)
SUBS = {"alertname": "SLOErrorBudgetBurn", "slo": "subscriptions", "severity": "page"}
ENRICHERS = {"alertname": "Slow enrichers"}
OTHERS = {"alertname": "SLOErrorBudgetBurn", "slo": "gateway", "severity": "page"}


def config(ladder: Ladder) -> dict[str, object]:
    rules = inhibit_rules([], [Inhibition(each.source, each.target, ()) for each in explained([ladder])])
    return {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}], **yaml.safe_load(rules)}


def post(url: str, *labels: dict[str, str], is_over: bool = False) -> None:
    now = datetime.now(UTC)
    began = (now - timedelta(minutes=5)).isoformat()
    end = {"endsAt": now.isoformat()} if is_over else {}
    alerts = [{"labels": each, "startsAt": began} | end for each in labels]
    assert httpx.post(f"{url}/api/v2/alerts", json=alerts).is_success


def reduced(tier: int, ladder: str = "intelgraph") -> dict[str, str]:
    return {"alertname": "ServiceReducedOnPurpose", "ladder": ladder, "tier": str(tier), "severity": "info"}


def muted(url: str) -> list[str]:
    known = httpx.get(f"{url}/api/v2/alerts").json()
    return sorted(
        each["labels"].get("slo", each["labels"]["alertname"]) for each in known if each["status"]["inhibitedBy"]
    )


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False


def test_what_a_tier_explains_is_muted_in_it_and_above_and_not_otherwise(tmp_path: Path) -> None:
    with servers.alertmanager(tmp_path / "alertmanager", config=config(LADDER)) as server:
        post(server.url, SUBS, ENRICHERS, OTHERS, reduced(1), reduced(6, "another"))
        assert eventually(lambda: len(httpx.get(f"{server.url}/api/v2/alerts").json()) == 5)
        assert muted(server.url) == []
        post(server.url, reduced(1), is_over=True)
        post(server.url, reduced(2))
        assert eventually(lambda: muted(server.url) == ["subscriptions"])
        post(server.url, reduced(2), is_over=True)
        post(server.url, reduced(12))
        assert eventually(lambda: muted(server.url) == ["Slow enrichers", "subscriptions"])
        post(server.url, reduced(12), is_over=True)
        assert eventually(lambda: muted(server.url) == [])


def test_ladders_whose_tiers_explain_nothing_mute_nothing() -> None:
    assert explained([a_ladder()]) == ()


def test_what_two_documents_of_one_ladder_explain_stands_once() -> None:
    assert explained([LADDER, LADDER]) == explained([LADDER])
    assert len(explained([LADDER])) == 2
