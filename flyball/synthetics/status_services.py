"""Status pages: kept up with what is known, published, and told to subscribers."""

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.registry import Collector

from alerts.daemon import DeliveryDaemon
from alerts.ports import Notifier
from controlplane import check_names
from controlplane.model.outbox import Channels
from controlplane.model.public_status import PublicSnapshot
from controlplane.ports import Clock, MetricsBackend, Permanent, Store, Transient
from flyball.check_settings import StatusSettings
from flyball.scheduler import Job, Turn
from flyball.setting_names import DEFAULT_VALUES
from flyball.synthetics.measured_slos import measured_slos
from synthetics.status_page import notices
from synthetics.status_page.adapters.places import place_of
from synthetics.status_page.addressees import directory_of
from synthetics.status_page.collector import StatusCollector
from synthetics.status_page.daemon import StatusDaemon
from synthetics.status_page.model import StatusPage
from synthetics.status_page.publishing import publish
from synthetics.status_page.subscribers import Subscriptions
from synthetics.status_page.tokens import Keys

STATUS_EVERY: Final = timedelta(seconds=10)
PUBLISH_EVERY: Final = timedelta(seconds=15)  # a change is public within 60 s of the verdict
SUBSCRIBERS_EVERY: Final = timedelta(seconds=2)
CHANNELS: Final = frozenset(notices.CHANNELS.values())
log = logging.getLogger(__name__)
Attempted = Callable[[str, str], None]
Pages = Callable[[], Sequence[StatusPage]]


@dataclass(frozen=True, slots=True)
class PublishedPages:
    """How many places got a page."""

    places: int


@dataclass(frozen=True, slots=True)
class StatusSurroundings:
    """What the jobs work with. `pages` are those of the last good files; `chance` spreads retries."""

    pages: Pages
    settings: StatusSettings
    folder: Path
    backend: MetricsBackend
    store: Store
    clock: Clock
    registry: CollectorRegistry
    chance: Callable[[], float]
    on_attempt: Attempted


class StatusServices:
    """The parts, joined but not started."""

    def __init__(self, around: StatusSurroundings) -> None:
        self._around = around
        self._daemon = StatusDaemon(around.store, around.pages, measured_slos=self._measured)
        self.local = _local_folder(around)
        keys = [key.reveal().encode() for key in around.settings.keys]
        self._keys = Keys(keys[0], keys[1:]) if keys else None
        self.subscriptions = (
            Subscriptions(
                self._keys,
                lambda: secrets.token_urlsafe(24),
                allows_http=around.settings.allow_private_webhooks,
            )
            if self._keys
            else None
        )
        self._published = Gauge(
            check_names.STATUS_PUBLISHED,
            "When a status page was last published.",
            [check_names.STATUS_PAGE],
            registry=around.registry,
        )

    def collectors(self) -> tuple[Collector, ...]:
        """For the registry of our own metrics."""
        return (StatusCollector(self._around.store, self._around.pages, self._around.clock),)

    def jobs(self) -> Iterator[Job]:
        """What is done again and again."""
        yield Job("status", STATUS_EVERY, lambda turn: self._daemon.run_once(turn.now, turn.lease), leader_only=True)
        yield Job("publish", PUBLISH_EVERY, self._publish_here, leader_only=False)
        if "://" in self._around.settings.directory:
            yield Job("publish-to-bucket", PUBLISH_EVERY, self._publish_to_bucket, leader_only=True)
        notifiers = list(self._notifiers())
        for channel in sorted(CHANNELS) if notifiers else ():
            yield self._deliveries(channel, [each for each in notifiers if each.channel == channel])

    def _deliveries(self, channel: str, notifiers: Sequence[Notifier]) -> Job:
        """A job for each channel: strangers' webhooks that dawdle must not hold up mail."""
        daemon = DeliveryDaemon(
            self._around.store,
            notifiers,
            random=self._around.chance,
            on_attempt=self._around.on_attempt,
            channels=Channels(frozenset({channel}), are_left_out=False),
        )
        name = channel.replace("status", "subscribers")
        return Job(name, SUBSCRIBERS_EVERY, lambda turn: daemon.run_once(turn.now, turn.lease), leader_only=True)

    def _notifiers(self) -> Iterator[Notifier]:
        from controlplane.adapters.outside_http import Outside
        from controlplane.adapters.smtp import Smtp, mail_account
        from synthetics.status_page.adapters.email import EmailNotifier
        from synthetics.status_page.adapters.webhook import WebhookNotifier

        around = self._around
        if self._keys is None or self.subscriptions is None:
            return
        directory = directory_of(around.store, around.pages, self.subscriptions, around.clock)
        outside = Outside(allows_private=around.settings.allow_private_webhooks)
        yield WebhookNotifier(outside, directory, self._keys, now=around.clock.now)
        if around.settings.smtp_url:
            server = Smtp(mail_account(around.settings.smtp_url.reveal()))
            yield EmailNotifier(server, directory, self._keys, now=around.clock.now)

    def _measured(self, now: datetime) -> frozenset[str] | None:
        """SLOs that have data; None when Prometheus cannot tell."""
        try:
            return measured_slos(self._around.backend, now)
        except (Transient, Permanent) as error:
            log.warning("status.slos_unknown", extra={"error": str(error)})
            return None

    def _publish_here(self, turn: Turn) -> PublishedPages:
        """On every replica: each serves its own copy."""
        return self._publish(str(self.local), turn)

    def _publish_to_bucket(self, turn: Turn) -> PublishedPages:
        return self._publish(self._around.settings.directory, turn)

    def _publish(self, target: str, turn: Turn) -> PublishedPages:
        """Every page; one that fails keeps no other back, and the first failure is raised in the end."""
        done, failures = 0, list[Transient | Permanent]()
        for snapshot in self._daemon.snapshots(turn.now):
            try:
                self._publish_one(target, snapshot)
                done += 1
            except (Transient, Permanent) as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return PublishedPages(done)

    def _publish_one(self, target: str, snapshot: PublicSnapshot) -> None:
        publish(place_of(target, snapshot.page.id), snapshot)
        self._published.labels(snapshot.page.id).set(snapshot.at.timestamp())


def _local_folder(around: StatusSurroundings) -> Path:
    """Where pages are served in place from: the folder of the settings, beside a bucket the default."""
    directory = around.settings.directory
    return around.folder / (DEFAULT_VALUES["status.directory"] if "://" in directory else directory)
