"""What the pages about subscriptions say, by language."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language."""

    heading: str
    failed: str
    asked: str
    confirm: str
    confirm_text: str
    confirmed: str
    end: str
    end_text: str
    ended: str
    stale: str
    unreadable: str
    busy: str
    later: str
    closed: str
    back: str


_ENGLISH: Final = Words(
    heading="Subscription",
    failed="That did not work",
    asked="Thank you. If this address can be subscribed, a message is on its way to it: please confirm it there.",
    confirm="Confirm subscription",
    confirm_text="Press the button to get updates at this address.",
    confirmed="You are subscribed. Every message has a link that ends it.",
    end="Unsubscribe",
    end_text="Press the button to get no further updates.",
    ended="You are unsubscribed.",
    stale="This link is not valid any more. Subscribe again to get a new one.",
    unreadable="This request is not understood.",
    busy="Too many requests: please try again in ten minutes.",
    later="This did not work just now: please try again in a minute.",
    closed="Nobody can subscribe here at present. The page has feeds, which need no subscription.",
    back="Back to the status page",
)
_GERMAN: Final = Words(
    heading="Abonnement",
    failed="Das hat nicht geklappt",
    asked="Danke. Wenn das mit dieser Adresse geht, ist eine Nachricht zu ihr unterwegs: bitte dort bestätigen.",
    confirm="Abonnement bestätigen",
    confirm_text="Drücken Sie den Knopf, um Meldungen an diese Adresse zu bekommen.",
    confirmed="Sie haben abonniert. Jede Nachricht enthält einen Link, mit dem Sie abbestellen können.",
    end="Abbestellen",
    end_text="Drücken Sie den Knopf, um keine weiteren Meldungen zu bekommen.",
    ended="Sie haben abbestellt.",
    stale="Dieser Link gilt nicht mehr. Abonnieren Sie erneut, um einen neuen zu bekommen.",
    unreadable="Diese Anfrage ist nicht zu verstehen.",
    busy="Zu viele Anfragen: bitte versuchen Sie es in zehn Minuten wieder.",
    later="Das hat gerade nicht geklappt: bitte versuchen Sie es in einer Minute wieder.",
    closed="Hier kann zurzeit niemand abonnieren. Die Seite hat Feeds, die kein Abonnement brauchen.",
    back="Zurück zur Statusseite",
)
_WORDS: Final = {"en": _ENGLISH, "de": _GERMAN}


def words_in(language: str) -> Words:
    """Those of the language, or English."""
    return _WORDS.get(language, _ENGLISH)
