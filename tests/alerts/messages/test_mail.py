"""An incident as mail."""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, settings

from alerts.messages.mail import LONGEST_SUBJECT, digest_of, mail_of
from alerts.model import Link, Snapshot
from controlplane.model.incident import Priority, TimelineKind
from tests.alerts.messages.samples import (
    INCIDENT,
    NOW,
    PAGE,
    a_line,
    a_snapshot,
    acknowledged,
    an_alert,
    resolved,
    snapshots,
)

SENDER = "flyball@example.com"


def sent(snapshot: Snapshot, *recipients: str) -> EmailMessage:
    """As it comes out at the other end."""
    made = mail_of(snapshot, sender=SENDER, recipients=recipients or ("ann@example.com",), now=NOW)
    parsed = message_from_bytes(made.as_bytes(), policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, html = (part.get_content() for part in mail.iter_parts())
    return text, html


def test_a_mail_says_it_all_as_text_and_as_html() -> None:
    mail = sent(a_snapshot(), "ann@example.com", "ben@example.com")
    assert mail["Subject"] == "[Firing] P1 INC-7: graphql-gateway burns its error budget 14× too fast"
    assert (mail["From"], mail["To"]) == ("Flyball <flyball@example.com>", "ann@example.com, ben@example.com")
    assert (mail["Auto-Submitted"], mail["Importance"]) == ("auto-generated", "high")
    text, html = parts(mail)
    for said in (
        "State: Firing for 12 min", "Since: 2026-12-01 03:00 UTC", "Service: graphql-gateway", "On call: ann",
        "18.3 % of the error budget of graphql-availability", "48,211 failed operations",
        "graphql-gateway 2.3.1 was deployed", f"Acknowledge or resolve it in Flyball: {PAGE}",
        "Runbook: Gateway outage: https://runbooks.example/gateway-outage", "03:00:01 UTC  It was opened",
    ):  # fmt: skip
        assert said in text, said
    assert f'<a href="{PAGE}">' in html
    assert "counting." in html


def test_the_sender_may_have_a_name() -> None:
    made = mail_of(a_snapshot(), sender="On Call <flyball@example.com>", recipients=["Ann <ann@example.com>"], now=NOW)
    assert (made["From"], made["To"]) == ("On Call <flyball@example.com>", "Ann <ann@example.com>")
    assert made["Message-ID"].endswith("@example.com>")
    with pytest.raises(ValueError, match="no address"):
        mail_of(a_snapshot(), sender="flyball", recipients=["ann@example.com"], now=NOW)


def test_all_mails_of_an_incident_are_in_one_thread_each_with_its_own_id() -> None:
    mails = [sent(a_snapshot(incident)) for incident in (INCIDENT, acknowledged(), resolved())]
    assert {mail["References"] for mail in mails} == {"<incident.9f2c41d0aa@example.com>"}
    assert len({mail["Message-ID"] for mail in mails}) == 3
    assert [mail["Subject"].partition("]")[0] for mail in mails] == ["[Firing", "[Acknowledged by ann", "[Resolved"]
    assert sent(a_snapshot())["Message-ID"] == mails[0]["Message-ID"]


@pytest.mark.parametrize(
    ("other", "is_news"),
    [
        (a_snapshot(), False),
        (a_snapshot(replace(INCIDENT, version=9, price=None)), False),
        (a_snapshot(alert_count=5, firing_count=4), False),
        (a_snapshot(acknowledged()), True),
        (a_snapshot(resolved()), True),
        (a_snapshot(firing_count=0), True),
        (a_snapshot(replace(INCIDENT, priority=Priority.P0)), True),
        (a_snapshot(timeline=(a_line(2, "to the boss", kind=TimelineKind.ESCALATED),)), True),
    ],
)
def test_a_mailbox_is_told_of_another_state_rank_or_escalation_only(other: Snapshot, is_news: bool) -> None:
    assert (digest_of(other) != digest_of(a_snapshot())) is is_news


def test_what_others_wrote_is_text_and_never_a_header_or_markup() -> None:
    evil = "x\r\nBcc: all@example.com\n\n<script>alert(1)</script>"
    alert = an_alert(annotations={"description": evil, "summary": evil})
    links = (Link(evil, "javascript:alert(1)"), Link(evil, 'https://x.example/"><script>'))
    mail = sent(a_snapshot(replace(INCIDENT, title=evil, service=evil), alerts=(alert,), links=links))
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]
    _, html = parts(mail)
    assert "<script>" not in html
    assert "javascript:" not in html


@settings(max_examples=15)  # each is parsed again
@given(snapshots())
def test_a_mail_can_be_made_of_whatever_an_incident_holds(snapshot: Snapshot) -> None:
    mail = sent(snapshot)
    assert len(mail["Subject"]) <= LONGEST_SUBJECT
    assert all(parts(mail))
