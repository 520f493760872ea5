"""To whom a message goes, as the store knows it at the moment of delivery."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from controlplane.model.event import JSON
from controlplane.model.outbox import OutboxMessage
from controlplane.model.status_record import Subscriber, SubscriberState
from controlplane.ports import Clock, Permanent, Store
from synthetics.status_page.model import StatusPage
from synthetics.status_page.notices import CONFIRM
from synthetics.status_page.subscribers import Subscriptions, remove
from synthetics.status_page.tokens import Keys


@dataclass(frozen=True, slots=True)
class Directory:
    """`find(page, id)`: the subscriber as it is now. `confirm(page, id, token)` and `end(page, id)` change it."""

    find: Callable[[str, str], Subscriber | None]
    confirm: Callable[[str, str, str], bool]
    end: Callable[[str, str], bool]


class Addressee:
    """A message, and who gets it: None when they do not want it any more."""

    def __init__(self, message: OutboxMessage, directory: Directory, keys: Keys) -> None:
        self.page: Final = _text(message, "page")
        self.id: Final = _text(message, "subscriber")
        self.kind: Final = _text(message, "kind")
        self._base = _text(message, "base")
        self._keys = keys
        self.subscriber: Final = self._wanting(directory.find(self.page, self.id))

    def link(self, what: str) -> str:
        """The address of `confirm` or `unsubscribe` for this subscriber."""
        assert self.subscriber is not None
        token = (
            self._keys.confirming(self.page, self.id, self.subscriber.nonce)
            if what == "confirm"
            else self._keys.unsubscribing(self.page, self.id)
        )
        asked = {"s": self.id, "t": token}
        if self.subscriber.language:
            asked["language"] = self.subscriber.language
        return f"{self._base}/status/{self.page}/{what}?{urlencode(asked)}"

    def _wanting(self, found: Subscriber | None) -> Subscriber | None:
        """Whoever confirmed gets what happens; whoever has not, only the question."""
        wanted = SubscriberState.PENDING if self.kind == CONFIRM else SubscriberState.ACTIVE
        return found if found is not None and found.state is wanted else None


def _text(message: OutboxMessage, name: str) -> str:
    value: JSON = message.payload.get(name)
    if not isinstance(value, str):
        raise Permanent(f"the message {message.id} has no {name}: it is none of a status page")
    return value


def directory_of(
    store: Store, pages: Callable[[], Sequence[StatusPage]], subscriptions: Subscriptions, clock: Clock
) -> Directory:
    """The subscribers of pages that are declared now; those of a page that is gone are told nothing."""

    def page_of(name: str) -> StatusPage | None:
        return next((page for page in pages() if page.name == name), None)

    def find(name: str, id_: str) -> Subscriber | None:
        if page_of(name) is None:
            return None
        with store.transaction(read_only=True) as transaction:
            return transaction.status.subscriber(name, id_)

    def confirm(name: str, id_: str, token: str) -> bool:
        page = page_of(name)
        if page is None:
            return False
        with store.transaction() as transaction:
            return subscriptions.confirm(page, transaction, id_, token, clock.now())

    def end(name: str, id_: str) -> bool:
        page = page_of(name)
        if page is None:
            return False
        with store.transaction() as transaction:
            return remove(page, transaction, id_, clock.now(), "delivery")

    return Directory(find, confirm, end)
