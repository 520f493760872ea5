"""The demo's pager, chat and mailbox: they take what the real ones take, and answer as those do, signed."""

import json
import smtplib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from slack_sdk import WebClient

from alerts.inbound import pagerduty, slack
from controlplane.adapters.clock import SystemClock
from flyball.demo.pager.answers import Answering
from flyball.demo.pager.mailbox import receiving
from flyball.demo.pager.model import Page, Pager
from flyball.demo.pager.page import page as render
from flyball.demo.pager.page import shown
from flyball.demo.pager.server import PAGERDUTY_DOWN, PagerParts, PagerServer, serving

SECRETS = ("pagerduty-secret", "slack-secret")
BUTTON = {"type": "button", "action_id": "acknowledge", "value": "i1", "text": {"type": "plain_text", "text": "Got it"}}
BLOCKS: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "<script>half of it</script> fails"}},
    {"type": "actions", "elements": [BUTTON]},
]


@dataclass
class Demo:
    """The pager, and a Flyball that notes what it is told."""

    url: str
    pager: Pager
    told: list[tuple[str, dict[str, str], bytes]]
    broken: set[str] = field(default_factory=set)
    token: str = ""

    def answer(self, where: str, **fields: str) -> httpx.Response:
        return httpx.post(f"{self.url}/answer/{where}", data={"token": self.token, **fields})


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    told: list[tuple[str, dict[str, str], bytes]] = []

    class Flyball(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    flyball = ThreadingHTTPServer(("127.0.0.1", 0), Flyball)
    threading.Thread(target=flyball.serve_forever, daemon=True).start()
    made = Demo("", Pager(), told)
    answering = Answering(f"http://127.0.0.1:{flyball.server_address[1]}", *SECRETS)
    parts = PagerParts(made.pager, SystemClock(), answering, lambda fault: fault in made.broken)
    with serving(PagerServer(parts)) as server:
        made.url, made.token = server.url, parts.form_token
        yield made
    flyball.shutdown()
    flyball.server_close()


def page(demo: Demo, action: str, key: str = "flyball/1/pagerduty:sre") -> httpx.Response:
    payload = {"summary": "P0 INC-1: <b>checkout</b>", "severity": "critical", "source": "flyball"}
    event = {"routing_key": "r" * 32, "event_action": action, "dedup_key": key, "payload": payload}
    return httpx.post(f"{demo.url}/v2/enqueue", json=event)


def test_a_page_is_one_incident_however_often_it_is_triggered_and_is_shown_without_html(demo: Demo) -> None:
    assert [page(demo, "trigger").status_code for _ in range(3)] == [202] * 3
    assert [each.status for each in demo.pager.pages()] == ["triggered"]
    text = httpx.get(demo.url).text
    assert "P0 INC-1: &lt;b&gt;checkout&lt;/b&gt;" in text
    assert page(demo, "explode").status_code == 400


def test_pagerduty_that_is_broken_takes_nothing(demo: Demo) -> None:
    demo.broken.add(PAGERDUTY_DOWN)
    assert page(demo, "trigger", "other").status_code == 503
    assert "PagerDuty does not answer now" in httpx.get(demo.url).text
    demo.broken.clear()
    assert all(each.dedup_key != "other" for each in demo.pager.pages())


def test_acknowledging_there_sends_what_flyball_takes_for_genuine(demo: Demo) -> None:
    page(demo, "trigger", "flyball/2/pagerduty:sre")
    assert demo.answer("pagerduty", key="flyball/2/pagerduty:sre", status="acknowledged").status_code == 303
    path, headers, body = demo.told[-1]
    assert path == "/hooks/pagerduty"
    assert pagerduty.is_genuine(body, headers["x-pagerduty-signature"], [SECRETS[0]])
    assert not pagerduty.is_genuine(body, headers["x-pagerduty-signature"], ["another"])
    event = json.loads(body)["event"]
    assert (event["event_type"], event["data"]["incident_key"]) == (
        "incident.acknowledged",
        "flyball/2/pagerduty:sre",
    )


def test_slacks_own_client_posts_changes_and_finds_messages(demo: Demo) -> None:
    client = WebClient(token="xoxb-demo", base_url=f"{demo.url}/api/")
    posted = client.chat_postMessage(channel="#ops", text="it fails", blocks=BLOCKS)
    client.chat_postMessage(channel="#ops", text="more", thread_ts=posted["ts"])
    client.chat_update(channel="#ops", ts=posted["ts"], text="it works", blocks=BLOCKS)
    (root,) = [each for each in demo.pager.messages("#ops") if not each.thread]
    assert (root.text, root.edits) == ("it works", 1)
    replies = client.conversations_replies(channel="#ops", ts=posted["ts"])["messages"]
    assert [each["text"] for each in replies] == ["it works", "more"]
    text = httpx.get(demo.url).text
    assert "&lt;script&gt;half of it" in text
    assert demo.answer("slack", channel="#ops", ts=posted["ts"], action="acknowledge").status_code == 303
    path, headers, body = demo.told[-1]
    assert path == "/hooks/slack"
    stamp, signature = headers["x-slack-request-timestamp"], headers["x-slack-signature"]
    assert slack.is_genuine(body, stamp, signature, SECRETS[1], datetime.now(UTC))


def test_only_the_page_itself_may_answer(demo: Demo) -> None:
    before = len(demo.told)
    answer = httpx.post(f"{demo.url}/answer/pagerduty", data={"token": "guessed", "key": "x", "status": "resolved"})
    assert (answer.status_code, len(demo.told)) == (403, before)


def test_mail_lies_in_the_mailbox() -> None:
    pager = Pager()
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "P0 INC-1", "flyball@localhost", "ann@example.com"
    mail.set_content("It fails.\n")
    with receiving(pager, SystemClock()) as url:
        parts = urlsplit(url)
        with smtplib.SMTP(parts.hostname or "", parts.port or 0, timeout=10) as server:
            server.send_message(mail)
    (found,) = pager.mails()
    assert (found.to, found.subject, found.text.strip()) == (("ann@example.com",), "P0 INC-1", "It fails.")


@pytest.mark.parametrize(
    ("mrkdwn", "words"),
    [
        ("*Firing* since <!date^1796097844^{date} {time}|04:04 UTC> (5 * 3 * 2)", "Firing since 04:04 UTC (5 * 3 * 2)"),
        ("<https://example.com/a?b=1&amp;c=2|Outage>, <https://example.com/>", "Outage, https://example.com/"),
        ("a &lt;script&gt; &amp; &amp;lt; stays", "a <script> & &lt; stays"),
    ],
)  # fmt: skip
def test_messages_read_as_slack_shows_them(mrkdwn: str, words: str) -> None:
    assert shown(mrkdwn) == words


def test_a_page_says_whose_it_is() -> None:
    pager, key = Pager(), "0" * 32
    pager.trigger(Page("k", key, "P0 INC-1: it fails", "critical", "triggered", datetime(2026, 12, 1, tzinfo=UTC)))
    text = render(pager, token="t", down="", flyball_url="http://127.0.0.1", keys={key: "release-lead"})
    assert "to release-lead" in text
    assert key not in text
