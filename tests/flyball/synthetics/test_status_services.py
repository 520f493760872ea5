"""The jobs of status pages, joined."""

from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry

from controlplane.adapters.clock import SystemClock
from controlplane.model.outbox import OutboxMessage
from controlplane.store import migrate, open_store
from flyball.check_settings import StatusSettings
from flyball.scheduler import Turn
from flyball.secret import Secret
from flyball.synthetics.status_services import StatusServices, StatusSurroundings


def test_webhooks_that_dawdle_do_not_hold_up_mail(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    migrate(url)
    store, clock, told = open_store(url), SystemClock(), list[str]()
    now = clock.now()
    services = StatusServices(
        StatusSurroundings(
            list,
            StatusSettings(keys=(Secret("k" * 32),), smtp_url=Secret("smtp://localhost:1")),
            tmp_path,
            cast("Any", None),
            store,
            clock,
            CollectorRegistry(),
            lambda: 0.0,
            lambda channel, _: told.append(channel),
        )
    )
    jobs = {job.name: job for job in services.jobs()}
    with store.transaction() as transaction:
        for channel in ("status-webhook", "status-email"):
            transaction.outbox.enqueue(OutboxMessage(channel, channel, channel, {}), now)
    jobs["subscribers-email"].run(Turn(now, None))
    assert told == ["status-email"]
    jobs["subscribers-webhook"].run(Turn(now, None))
    assert told == ["status-email", "status-webhook"]
    store.close()
