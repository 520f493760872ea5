"""Subscribers, and the messages for them."""

from dataclasses import replace

from controlplane.model.outbox import OutboxMessage
from controlplane.model.public_status import Impact, IncidentStatus
from controlplane.model.status_record import (
    Channel,
    IncidentRecord,
    Origin,
    Subscriber,
    SubscriberState,
    UpdateRecord,
    UpdateState,
)
from synthetics.status_page.addressees import Directory
from synthetics.status_page.model import Mailing, SubscriberPolicy
from synthetics.status_page.notices import Whole, confirmation, notices
from synthetics.status_page.tokens import Keys, hashed
from tests.synthetics.status_page.paging import DAY, NOW, a_page

KEYS = Keys(b"k" * 32)
PAGE = a_page(
    subscribers=SubscriberPolicy(True, Mailing("status@shop.example", "help@shop.example"), "https://hooks.example")
)


class Book:
    """One subscriber, and what became of it."""

    def __init__(self, channel: Channel, address: str, state: SubscriberState = SubscriberState.ACTIVE) -> None:
        digest = hashed(KEYS.confirming("shop", "s1", "nonce"))
        self.one = Subscriber("shop", "s1", channel, address, state, "nonce", digest, NOW, NOW, NOW + DAY)
        self.directory = Directory(self._find, self._confirm, self._end)

    @property
    def state(self) -> SubscriberState:
        return self.one.state

    def _find(self, page: str, id_: str) -> Subscriber | None:
        return self.one if (page, id_) == ("shop", "s1") else None

    def _confirm(self, page: str, id_: str, token: str) -> bool:
        assert hashed(token) == self.one.confirm_hash
        self.one = replace(self.one, state=SubscriberState.ACTIVE)
        return True

    def _end(self, page: str, id_: str) -> bool:
        self.one = replace(self.one, state=SubscriberState.ENDED)
        return True

    def question(self) -> OutboxMessage:
        return confirmation(PAGE, self.one)

    def update(self, body: str = "We are on it.\n\nNext update soon.", name: str = "Outage of API") -> OutboxMessage:
        incident = IncidentRecord(
            "shop", "i1", name, Origin.MANUAL, IncidentStatus.IDENTIFIED, Impact.MAJOR, ("api",), NOW, NOW, NOW, NOW
        )
        update = UpdateRecord(
            "shop", "u1", "i1", 1, IncidentStatus.IDENTIFIED, body, UpdateState.PUBLISHED, "ann", NOW, published_at=NOW
        )
        (message,) = notices(PAGE, incident, update, [update], [self.one], Whole("critical", "Major Service Outage"))
        return message

    def update_as_if_active(self) -> OutboxMessage:
        """One that was queued while the subscriber was active."""
        before, self.one = self.one, replace(self.one, state=SubscriberState.ACTIVE)
        message = self.update()
        self.one = before
        return message
