"""Double opt-in, the way out, and that nobody learns who is subscribed."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest

from controlplane.model.status_record import Channel, Subscriber, SubscriberState
from controlplane.store import SqlStore
from synthetics.status_page.model import Mailing, SubscriberPolicy
from synthetics.status_page.subscribers import (
    CONFIRM_WITHIN,
    BadAddress,
    Bounds,
    RateLimit,
    Subscriptions,
    checked_address,
    remove,
)
from synthetics.status_page.tokens import Keys
from tests.synthetics.status_page.paging import DAY, HOUR, MINUTE, NOW, a_page

KEYS = Keys(b"k" * 32)
PAGE = a_page(subscribers=SubscriberPolicy(True, Mailing("status@shop.example"), "https://hooks.example"))


class Office:
    """Subscriptions over a store."""

    def __init__(self, store: SqlStore) -> None:
        numbers: Iterator[int] = count(1)
        self.store = store
        self.subscriptions = Subscriptions(KEYS, lambda: f"random {next(numbers)}")

    def ask(self, address: str = "ann@example.com", at: timedelta = timedelta(0), page: object = PAGE) -> bool:
        channel = Channel.WEBHOOK if "://" in address else Channel.EMAIL
        with self.store.transaction() as transaction:
            return self.subscriptions.ask(page, transaction, channel, address, NOW + at)  # type: ignore[arg-type]

    def all(self) -> list[Subscriber]:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.status.subscribers("shop")

    def token(self, number: int = 0) -> str:
        one = self.all()[number]
        return KEYS.confirming("shop", one.id, one.nonce)

    def confirm(self, token: str, at: timedelta = timedelta(0), number: int = 0) -> bool:
        with self.store.transaction() as transaction:
            return self.subscriptions.confirm(PAGE, transaction, self.all()[number].id, token, NOW + at)

    def end(self, token: str, number: int = 0) -> bool:
        with self.store.transaction() as transaction:
            return self.subscriptions.end(PAGE, transaction, self.all()[number].id, token, NOW)

    def queued(self) -> int:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.outbox.backlog()


@pytest.fixture
def office(store: SqlStore) -> Office:
    return Office(store)


def test_nobody_is_subscribed_before_the_address_itself_says_so(office: Office) -> None:
    assert office.ask()
    (ann,) = office.all()
    assert (ann.state, ann.address) == (SubscriberState.PENDING, "ann@example.com")
    assert not office.confirm("a guess")
    assert office.confirm(office.token(), HOUR)
    assert office.confirm(office.token(), 5 * DAY)  # the link is opened again
    assert office.all()[0].state is SubscriberState.ACTIVE
    assert office.all()[0].confirmed_at == NOW + HOUR


def test_a_question_that_is_not_answered_in_time_is_void(office: Office) -> None:
    office.ask()
    assert not office.confirm(office.token(), CONFIRM_WITHIN + MINUTE)
    assert office.all()[0].state is SubscriberState.PENDING


def test_an_address_is_asked_at_most_every_ten_minutes_and_never_while_subscribed(office: Office) -> None:
    assert [office.ask(at=at * MINUTE) for at in (0, 1, 9, 10, 11)] == [True, False, False, True, False]
    assert office.queued() == 2
    assert office.confirm(office.token(), 12 * MINUTE)
    assert not office.ask(at=DAY)
    assert office.queued() == 2


def test_an_older_question_is_void_once_another_was_asked(office: Office) -> None:
    office.ask()
    first = office.token()
    office.ask(at=HOUR)
    assert not office.confirm(first, HOUR)


def test_one_click_ends_it_again_and_again_and_it_can_be_asked_for_anew(office: Office) -> None:
    office.ask()
    office.confirm(office.token())
    token = KEYS.unsubscribing("shop", office.all()[0].id)
    assert not office.end("a guess")
    assert office.end(token)
    assert office.end(token)
    assert office.all()[0].state is SubscriberState.ENDED
    assert not office.confirm(office.token())
    assert office.ask(at=HOUR)
    assert office.confirm(office.token(), HOUR)
    assert len(office.all()) == 1


def test_the_store_holds_nothing_that_opens_a_link(office: Office) -> None:
    office.ask()
    token, one = office.token(), office.all()[0]
    with office.store.transaction() as transaction:
        (due,) = transaction.outbox.claim(10, NOW)
        entries = transaction.audit.entries()
    assert token not in f"{one} {due.message} {entries}"
    assert "ann@" not in f"{due.message} {entries}"


def test_a_page_takes_only_what_it_sends(office: Office) -> None:
    silent = a_page(subscribers=SubscriberPolicy())
    for address in ("ann@example.com", "https://hooks.example/x"):
        with pytest.raises(BadAddress, match="does not send"):
            office.ask(address, page=silent)


def test_only_so_many_may_be_asked_at_once(office: Office) -> None:
    office.subscriptions = Subscriptions(KEYS, iter("abcdefgh").__next__, most_pending=2)
    assert [office.ask(f"{name}@example.com") for name in "abc"] == [True, True, False]


@pytest.mark.parametrize(
    ("channel", "text", "kept"),
    [
        (Channel.EMAIL, " Ann.Lee+x@Example.COM ", "Ann.Lee+x@example.com"),
        (Channel.WEBHOOK, "https://Hooks.Example/Path?Q=1", "https://hooks.example/Path?Q=1"),
        (Channel.WEBHOOK, "https://[2606:4700::1]:8443/x", "https://[2606:4700::1]:8443/x"),
    ],
)
def test_an_address_is_kept_in_one_spelling(channel: Channel, text: str, kept: str) -> None:
    assert checked_address(channel, text) == kept


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        (Channel.EMAIL, "ann"),
        (Channel.EMAIL, "ann@localhost"),
        (Channel.EMAIL, "ann@example.com\r\nBcc: all@example.com"),
        (Channel.EMAIL, "ann@example.com, bob@example.com"),
        (Channel.EMAIL, "Ann <ann@example.com>"),
        (Channel.EMAIL, "a..b@example.com"),
        (Channel.EMAIL, f"{'a' * 65}@example.com"),
        (Channel.EMAIL, f"a@{'b' * 260}.com"),
        (Channel.EMAIL, ""),
        (Channel.WEBHOOK, "http://hooks.example/"),
        (Channel.WEBHOOK, "file:///etc/passwd"),
        (Channel.WEBHOOK, "https://user:secret@hooks.example/"),
        (Channel.WEBHOOK, "https:///path"),
        (Channel.WEBHOOK, "https://hooks.example:99999/"),
        (Channel.WEBHOOK, "https://hooks.example/#x"),
        (Channel.WEBHOOK, "https://hooks.example/\r\nHost: inside"),
        (Channel.WEBHOOK, "https://höoks.example/"),
        (Channel.WEBHOOK, "https://[::1"),
        (Channel.WEBHOOK, f"https://hooks.example/{'x' * 1000}"),
    ],
)
def test_what_is_no_address_is_refused(channel: Channel, text: str) -> None:
    with pytest.raises(BadAddress):
        checked_address(channel, text)


def test_clients_and_all_together_ask_only_so_often() -> None:
    limit = RateLimit(Bounds(each=2, all=3, within=10 * MINUTE, clients=2))
    assert [limit.takes("a", NOW) for _ in range(3)] == [True, True, False]
    assert [limit.takes(name, NOW) for name in ("b", "c")] == [True, False]
    assert limit.takes("c", NOW + 10 * MINUTE)


def test_a_subscriber_who_was_removed_is_on_record_without_the_address(office: Office) -> None:
    office.ask()
    with office.store.transaction() as transaction:
        assert remove(PAGE, transaction, office.all()[0].id, NOW, "ops")
        assert not remove(PAGE, transaction, office.all()[0].id, NOW, "ops")
        (entry,) = transaction.audit.entries()
    assert (entry.actor, entry.action) == ("ops", "status.unsubscribed")
