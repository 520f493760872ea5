"""Incidents to receivers of signed webhooks."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from alerts.adapters.webhook import WebhookNotifier
from alerts.ports import RateLimited
from controlplane.adapters.outside_http import Outside
from controlplane.ports import Permanent, Transient
from tests.alerts.adapters.telling import Book
from tests.alerts.messages.samples import INCIDENT, a_snapshot, acknowledged, resolved
from tests.outside.failing import Failure
from tests.outside.webhook import SECRET, WebhookReceiver

LANE = "webhook:audit"


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as server:
        yield server


def a_notifier(
    receiver: WebhookReceiver, book: Book, *, secret: str | None = SECRET, seconds: float = 5, calls: int = 100
) -> WebhookNotifier:
    outside = Outside(allows_private=True, deadline_seconds=seconds)
    return WebhookNotifier(
        LANE, receiver.address, lambda: secret, outside, book.showing(), book.rate(calls), now=book.clock
    )


def test_every_state_arrives_signed(receiver: WebhookReceiver, book: Book) -> None:
    notifier = a_notifier(receiver, book)
    for incident in (INCIDENT, acknowledged(), resolved()):
        notifier.notify(book.say(a_snapshot(incident), LANE))
    assert [each["type"] for each in receiver.deliveries] == [
        "incident.open", "incident.acknowledged", "incident.resolved",
    ]  # fmt: skip
    assert receiver.seen[0] == f"{LANE}:{INCIDENT.id}:{INCIDENT.version}"
    assert receiver.forged == []
    outside = book.outside(INCIDENT, LANE)
    assert outside is not None
    assert (outside.place, outside.closed_at) == ("localhost", book.now)


@pytest.mark.parametrize(
    "failure",
    [Failure.LOST_ANSWER, Failure.RESET, Failure.SERVER_ERROR, Failure.UNAVAILABLE, Failure.TIMEOUT, Failure.SLOW_BODY],
)
def test_what_fails_is_delivered_later_under_the_same_id(
    receiver: WebhookReceiver, book: Book, failure: Failure
) -> None:
    message = book.say(a_snapshot(), LANE)
    receiver.fail(failure)
    with pytest.raises(Transient):
        a_notifier(receiver, book, seconds=0.2).notify(message)
    a_notifier(receiver, book).notify(message)
    assert len(receiver.deliveries) == 1
    assert len({asked.headers["webhook-id"] for asked in receiver.asked}) == 1


def test_a_receiver_that_asks_for_a_pause_gets_it(receiver: WebhookReceiver, book: Book) -> None:
    receiver.retry_after = 40
    receiver.fail(Failure.TOO_MANY)
    notifier = a_notifier(receiver, book)
    message = book.say(a_snapshot(), LANE)
    with pytest.raises(RateLimited) as limited:
        notifier.notify(message)
    assert limited.value.until == book.now + timedelta(seconds=40)
    with pytest.raises(RateLimited):
        notifier.notify(message)
    assert len(receiver.asked) == 1


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410])
def test_what_is_refused_is_given_up(receiver: WebhookReceiver, book: Book, status: int) -> None:
    receiver.status = status
    with pytest.raises(Permanent, match=str(status)):
        a_notifier(receiver, book).notify(book.say(a_snapshot(), LANE))
    assert len(receiver.asked) == 1


@pytest.mark.parametrize("secret", [None, "", "guess-0123456789!"])
def test_nothing_leaves_without_a_secret_and_none_is_told(
    receiver: WebhookReceiver, book: Book, secret: str | None
) -> None:
    with pytest.raises(Transient, match="the secret of webhook:audit") as told:
        a_notifier(receiver, book, secret=secret).notify(book.say(a_snapshot(), LANE))
    assert not secret or secret not in str(told.value)
    assert receiver.asked == []
