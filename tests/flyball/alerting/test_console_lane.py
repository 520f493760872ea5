"""Receivers that name the console are told there."""

import io
from pathlib import Path

from controlplane.adapters.clock import SystemClock
from controlplane.model.incident import Priority
from flyball.settings import Settings, load_settings
from flyball.wiring import wire

FILES = """\
apiVersion: flyball.dev/v1
kind: Route
metadata: {name: default}
spec: {default: true, receivers: [team]}
---
apiVersion: flyball.dev/v1
kind: Receiver
metadata: {name: team}
spec: {channels: [{console: {}}]}
"""


def test_news_for_a_receiver_on_the_console_is_printed_and_nothing_waits(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(FILES)
    settings = load_settings(tmp_path, {"FLYBALL_DATABASE_URL": f"sqlite:///{tmp_path}/flyball.db"})
    assert isinstance(settings, Settings)
    screen, now = io.StringIO(), SystemClock().now()
    services = wire(settings, console=screen)
    services.state.refresh()
    services.alerts.desk.declare(
        "checkout fails", priority=Priority.P1, service="", summary="", receivers=["team"], policy="", by="ann", now=now
    )
    job = services.job("delivery")
    assert job is not None
    services.leadership.renew()
    services.runner.run(job)
    with services.store.transaction(read_only=True) as transaction:
        assert transaction.outbox.backlog() == 0
    services.close()
    assert "P1 INC-1: checkout fails" in screen.getvalue()
