"""Subscribing and unsubscribing over HTTP, as forms, programs and mail programs do it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from controlplane.model.status_record import Subscriber, SubscriberState
from controlplane.store import SqlStore
from flyball.telemetry import Tracing, own_metrics
from flyball.web.status_hooks import MAX_BODY_BYTES, StatusHooks
from synthetics.status_page.addressees import Addressee, directory_of
from synthetics.status_page.model import Mailing, SubscriberPolicy
from synthetics.status_page.subscribers import Bounds, RateLimit, Subscriptions
from synthetics.status_page.tokens import Keys
from tests.synthetics.status_page.paging import NOW, a_page

KEYS = Keys(b"k" * 32)
PAGE = a_page(
    languages=("en", "de"), subscribers=SubscriberPolicy(True, Mailing("status@shop.example"), "https://hooks.example")
)
CLOCK = SimpleNamespace(now=lambda: NOW)


@dataclass(frozen=True, slots=True)
class Site:
    """The endpoints, and the store behind them."""

    client: TestClient
    store: SqlStore
    subscriptions: Subscriptions

    def ask(self, **fields: str) -> httpx.Response:
        return self.client.post("/status/shop/subscribe", data={"channel": "email", **fields})

    def all(self) -> list[Subscriber]:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.status.subscribers("shop")

    def link(self, what: str) -> str:
        """The path of the link in the newest message."""
        with self.store.transaction() as transaction:
            (due,) = transaction.outbox.claim(10, NOW)
            transaction.outbox.failed(due.message.id, "looked at", NOW, NOW)
        directory = directory_of(self.store, lambda: [PAGE], self.subscriptions, CLOCK)  # type: ignore[arg-type]
        parts = urlsplit(Addressee(due.message, directory, KEYS).link(what))
        return f"{parts.path}?{parts.query}"


@pytest.fixture
def site(store: SqlStore) -> Site:
    return make_site(store)


def make_site(store: SqlStore, *, is_open: bool = True, limit: RateLimit | None = None) -> Site:
    numbers: Iterator[int] = count(1)
    nonce: Callable[[], str] = lambda: f"random {next(numbers)}"  # noqa: E731
    subscriptions = Subscriptions(KEYS, nonce)
    hooks = StatusHooks(
        store,
        lambda: [PAGE, a_page(name="silent", subscribers=SubscriberPolicy())],
        subscriptions if is_open else None,
        clock=CLOCK,  # type: ignore[arg-type]
        metrics=own_metrics(),
        tracing=Tracing(endpoint="", instance="test"),
        limit=limit,
    )
    return Site(TestClient(Starlette(routes=hooks.routes()), follow_redirects=False), store, subscriptions)


def test_a_form_a_link_and_a_button_subscribe_and_another_ends_it(site: Site) -> None:
    asked = site.ask(address="ann@example.com", website="")
    assert asked.status_code == 202
    link = site.link("confirm")
    for _ in range(2):  # a mail scanner looks at the link, too
        looked = site.client.get(link)
        assert looked.status_code == 200
    assert site.all()[0].state is SubscriberState.PENDING
    (action,) = re.findall(r'<form method="post" action="([^"]+)"><button>Confirm subscription</button>', looked.text)
    confirmed = site.client.post(f"/status/shop/{action.replace('&amp;', '&')}")
    assert "You are subscribed." in confirmed.text
    (ann,) = site.all()
    assert ann.state is SubscriberState.ACTIVE
    way_out = f"/status/shop/unsubscribe?s={ann.id}&t={KEYS.unsubscribing('shop', ann.id)}"
    assert site.client.get(way_out).status_code == 200
    assert site.all()[0].state is SubscriberState.ACTIVE
    one_click = site.client.post(way_out, data={"List-Unsubscribe": "One-Click"})
    assert one_click.status_code == 200
    assert site.client.post(way_out).status_code == 200
    assert site.all()[0].state is SubscriberState.ENDED


def test_one_click_may_come_as_multipart(site: Site) -> None:
    site.ask(address="ann@example.com")
    site.client.post(site.link("confirm"))
    (ann,) = site.all()
    way_out = f"/status/shop/unsubscribe?s={ann.id}&t={KEYS.unsubscribing('shop', ann.id)}"
    assert site.client.post(way_out, files={"List-Unsubscribe": (None, "One-Click")}).status_code == 200
    assert site.all()[0].state is SubscriberState.ENDED


def test_the_answer_is_the_same_whether_an_address_is_known_or_not(site: Site) -> None:
    first = site.ask(address="ann@example.com")
    site.client.post(site.link("confirm"))
    again, other = site.ask(address="ann@example.com"), site.ask(address="bob@example.com")
    assert len({(each.status_code, each.text) for each in (first, again, other)}) == 1
    assert len(site.all()) == 2


def test_programs_use_json_and_get_json(site: Site) -> None:
    answer = site.client.post(
        "/status/shop/subscribe", json={"channel": "webhook", "address": "https://hooks.example/x"}
    )
    assert answer.status_code == 202
    assert answer.json()["message"].startswith("Thank you.")
    assert site.all()[0].address == "https://hooks.example/x"


def test_who_fills_in_the_trap_is_thanked_and_forgotten(site: Site) -> None:
    assert site.ask(address="ann@example.com", website="http://spam.example").status_code == 202
    assert site.all() == []


def test_the_language_of_the_form_is_spoken(site: Site) -> None:
    answer = site.ask(address="ann@example.com", language="de")
    assert '<html lang="de">' in answer.text
    assert "bitte dort bestätigen" in answer.text
    assert site.all()[0].language == "de"


@pytest.mark.parametrize(
    "fields",
    [
        {"address": "ann"},
        {"address": ""},
        {"address": "ann@example.com\r\nBcc: all@example.com"},
        {"address": "ann@example.com", "channel": "pigeon"},
        {"address": "a\x00@example.com"},
    ],
)
def test_what_is_no_address_is_refused(site: Site, fields: dict[str, str]) -> None:
    assert site.ask(**fields).status_code == 400
    assert site.all() == []


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[1]", b"{", b'{"address": 5}', b"[" * 5000])
def test_what_is_no_request_is_refused(site: Site, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    assert site.client.post("/status/shop/subscribe", content=body, headers=headers).status_code == 400


def test_large_bodies_are_refused(site: Site) -> None:
    assert site.ask(address="a" * MAX_BODY_BYTES).status_code == 413


@pytest.mark.parametrize("what", ["confirm", "unsubscribe"])
@pytest.mark.parametrize("query", ["", "s=x&t=y", "s=%00&t=%00", "s=x&s=y", "t=" + "z" * 5000])
def test_a_bad_link_says_so_and_changes_nothing(site: Site, what: str, query: str) -> None:
    site.ask(address="ann@example.com")
    answer = site.client.post(f"/status/shop/{what}?{query}")
    assert answer.status_code == 400
    assert site.all()[0].state is SubscriberState.PENDING


def test_what_is_written_into_a_link_is_not_html(site: Site) -> None:
    answer = site.client.get('/status/shop/confirm?s="><script>alert(1)</script>')
    assert "<script>" not in answer.text


def test_nobody_asks_too_often(store: SqlStore) -> None:
    site = make_site(store, limit=RateLimit(Bounds(each=2)))
    codes = [site.ask(address=f"{name}@example.com").status_code for name in "abc"]
    assert codes == [202, 202, 429]


def test_pages_without_subscribers_and_unknown_pages_are_not_there(site: Site) -> None:
    for name in ("silent", "other"):
        assert site.client.post(f"/status/{name}/subscribe", data={"address": "ann@example.com"}).status_code == 404


def test_without_a_key_nobody_can_subscribe(store: SqlStore) -> None:
    assert make_site(store, is_open=False).ask(address="ann@example.com").status_code == 503


def test_links_are_not_kept_by_browsers_or_told_to_others(site: Site) -> None:
    headers = site.client.get("/status/shop/confirm?s=x&t=y").headers
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "set-cookie" not in headers


def test_links_speak_the_language_of_whoever_asked(site: Site) -> None:
    site.ask(address="ann@example.com", language="de")
    assert "Abonnement bestätigen" in site.client.get(site.link("confirm")).text


def test_behind_a_proxy_of_ours_each_client_has_its_own_share_and_no_other_can_pretend_to_be_many(
    store: SqlStore,
) -> None:
    for peer, codes in (("10.0.0.7", [202, 202, 429]), ("127.0.0.1", [202, 202, 429]), ("8.8.8.8", [202, 429, 429])):
        site = make_site(store, limit=RateLimit(Bounds(each=1)))
        client = TestClient(site.client.app, client=(peer, 1))
        answers = [
            client.post(
                "/status/shop/subscribe",
                data={"channel": "email", "address": "ann@example.com"},
                headers={"X-Forwarded-For": forwarded},
            )
            for forwarded in ("6.6.6.6, 9.9.9.1", "9.9.9.2", "7.7.7.7, 9.9.9.1")
        ]
        assert [answer.status_code for answer in answers] == codes, peer
