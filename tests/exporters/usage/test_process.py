"""Usage delivered to a running `flyball up`, which is killed and started again."""

from datetime import timedelta
from pathlib import Path

import httpx

from controlplane.adapters.clock import SystemClock
from exporters.cloudevents.requests import BATCH
from flyball.web.usage_hook import PATH
from tests.exporters.usage.metering import body, tokens
from tests.flyball.processes import flyball_up
from tests.flyball.running import NOWHERE, eventually

TOKEN = "usage-secret-0123456789"
METER = """
apiVersion: flyball.dev/v1
kind: Meter
metadata: {name: tokens}
spec: {eventType: ai.completed, aggregation: sum, value: tokens.total, unit: token}
"""


def test_what_was_answered_is_counted_once_after_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "usage.yaml").write_text(METER)
    at = f"{SystemClock().now() - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    content = body(*[tokens(number, "0.5", time=at) for number in range(200)])
    environ = {"FLYBALL_USAGE_TOKEN": TOKEN, "FLYBALL_LISTEN": "127.0.0.1:0", "FLYBALL_PROMETHEUS_URL": NOWHERE}
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": BATCH}

    def delivered(url: str) -> httpx.Response:
        answers: list[httpx.Response] = []

        def counted() -> bool:  # 503 until the files have been read
            answers.append(httpx.post(f"{url}{PATH}", content=content, headers=headers, timeout=30))
            return answers[-1].status_code == 200

        eventually(counted)
        return answers[-1]

    with flyball_up(folder, name="first", **environ) as first:
        assert delivered(first.url).json()["accepted"] == 200
        first.kill()
    with flyball_up(folder, name="second", **environ) as second:
        url = second.url
        assert delivered(url).json()["duplicates"] == 200
        found = httpx.get(f"{url}/metrics", timeout=30).text
    assert 'flyball_usage_quantity_total{meter="tokens",tenant="other"} 100.0' in found or (
        'flyball_usage_quantity_total{meter="tokens",tenant="alpha"} 100.0' in found
    )
