"""An incident as mail: plain text and simple HTML, in one thread per incident."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import BaseHeader, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, formataddr, parseaddr
from html import escape
from typing import Final

from alerts.messages import words
from alerts.model import Link, Snapshot
from controlplane.model.incident import Incident, IncidentState, TimelineKind
from controlplane.wording import utc

LONGEST_SUBJECT: Final = 200
_LONGEST_TEXT: Final = 4_000
_LONGEST_LINE: Final = 500
_SHOWN_ALERTS: Final = 10
_SHOWN_LINES: Final = 20
_SHOWN_LINKS: Final = 10
_UNFIT: Final = re.compile(r"[^A-Za-z0-9.-]+")


class _Subject(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]  # typeshed: one `max_count` differs
    """Folded without the space too many that Python 3.11 puts before a word that is not ASCII."""

    def fold(self, *, policy: Policy) -> str:
        if self.isascii():
            return super().fold(policy=policy)
        encoded = Header(str(self), "utf-8", header_name="Subject").encode(linesep=policy.linesep)
        return f"Subject: {encoded}{policy.linesep}"


_REGISTRY: Final = HeaderRegistry()
_REGISTRY.map_to_type("subject", _Subject)
_POLICY: Final = SMTP.clone(header_factory=_REGISTRY)


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the letter: a heading, paragraphs or lines below it, and links."""

    heading: str
    lines: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


def digest_of(snapshot: Snapshot) -> str:
    """What a mail is sent about: another state or rank, another escalation. Other figures are no news for a mailbox."""
    incident = snapshot.incident
    is_quiet = incident.is_open and snapshot.alert_count > 0 and snapshot.firing_count == 0
    is_waiting = incident.state is IncidentState.OPEN
    escalations = sum(is_waiting and entry.kind is TimelineKind.ESCALATED for entry in snapshot.timeline)
    parts = (incident.state.value, incident.priority.value, incident.acknowledged_by, str(is_quiet), str(escalations))
    return hashlib.sha256("\x00".join(parts).encode(errors="replace")).hexdigest()[:16]


def thread_of(incident: Incident, sender: str) -> str:
    """The id to which all mails of an incident refer."""
    return f"<incident.{_UNFIT.sub('.', incident.id)[:100]}@{_domain(sender)}>"


def mail_of(snapshot: Snapshot, *, sender: str, recipients: Sequence[str], now: datetime) -> EmailMessage:
    """The mail as it should be now. Made again for the same state it has the same Message-ID.

    `sender` is an address, with or without a name before it. Raises ValueError for one that is none.
    """
    incident = snapshot.incident
    mail = EmailMessage(policy=_POLICY)
    name, address = parseaddr(words.plain(sender))
    if "@" not in address:
        raise ValueError("the sender is no address")
    mail["From"] = formataddr((name or "Flyball", address))
    mail["To"] = ", ".join(words.plain(address) for address in recipients)
    mail["Subject"] = _subject(snapshot)
    thread = thread_of(incident, sender)
    mail["Message-ID"] = (
        f"<{_UNFIT.sub('.', incident.id)[:100]}.{incident.version}.{digest_of(snapshot)}@{_domain(sender)}>"
    )
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    mail["Date"] = format_datetime(now)
    mail["Auto-Submitted"] = "auto-generated"
    if incident.priority.is_critical and incident.is_open:
        mail["Importance"] = "high"
    parts = list(_parts(snapshot))
    mail.set_content(_as_text(snapshot, parts))
    mail.add_alternative(_as_html(snapshot, parts), subtype="html")
    return mail


def _subject(snapshot: Snapshot) -> str:
    state = words.state_word(snapshot)
    by = snapshot.incident.acknowledged_by if snapshot.incident.acknowledged_by and state == "Acknowledged" else ""
    subject = f"[{state}{f' by {words.plain(by)}' if by else ''}] {words.headline(snapshot.incident)}"
    return subject if len(subject) <= LONGEST_SUBJECT else f"{subject[: LONGEST_SUBJECT - 1]}…"


def _parts(snapshot: Snapshot) -> Iterator[_Part]:
    incident = snapshot.incident
    if incident.is_drill:
        yield _Part("", ("This is an exercise: acknowledge it as if it were real.",))
    yield _Part("", tuple(_cut(text) for text in words.said_by_alerts(snapshot)))
    yield _Part("Price so far", tuple(words.price_lines(incident.price)))
    yield _Part("Alerts", _alerts(snapshot))
    suspects = tuple(_cut(words.suspect_line(each, incident), _LONGEST_LINE) for each in incident.suspects)
    yield _Part("What changed shortly before", suspects[:_SHOWN_ALERTS])
    yield _Part("Read on", links=_links(snapshot))
    lines = (
        f"{words.clock(entry.at)}  {_cut(words.timeline_line(entry), _LONGEST_LINE)}"
        for entry in snapshot.timeline[-_SHOWN_LINES:]
    )
    yield _Part("What happened", tuple(lines))


def _alerts(snapshot: Snapshot) -> tuple[str, ...]:
    shown = [_cut(words.alert_line(alert), _LONGEST_LINE) for alert in snapshot.alerts[:_SHOWN_ALERTS]]
    left = snapshot.alert_count - len(shown)
    return (*shown, *([f"and {left:,} more"] if left > 0 else []))


def _links(snapshot: Snapshot) -> tuple[Link, ...]:
    page = [Link("Acknowledge or resolve it in Flyball", snapshot.page_url)] if snapshot.page_url else []
    runbooks = [Link(words.runbook_name(each.text), each.url) for each in snapshot.runbooks]
    found = [*page, *runbooks, *snapshot.links]
    return tuple(each for each in found if each.url.startswith(("https://", "http://")))[:_SHOWN_LINKS]


def _facts(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    incident = snapshot.incident
    yield "State", words.state_of(snapshot)
    yield "Since", utc(incident.started_at)
    yield "Service", words.plain(incident.service)
    yield "Alerts", words.alerts_line(snapshot)
    yield "On call", words.plain(", ".join(snapshot.on_call))


def _as_text(snapshot: Snapshot, parts: Sequence[_Part]) -> str:
    blocks = [
        words.headline(snapshot.incident),
        "\n".join(f"{name}: {_cut(value)}" for name, value in _facts(snapshot) if value),
    ]
    for part in parts:
        lines = [*part.lines, *(f"{words.plain(link.text)}: {words.plain(link.url)}" for link in part.links)]
        if lines:
            blocks.append("\n".join([*([f"{part.heading}:"] if part.heading else []), *lines]))
    return "\n\n".join([*blocks, f"As of {utc(snapshot.taken_at)}"]) + "\n"


def _as_html(snapshot: Snapshot, parts: Sequence[_Part]) -> str:
    rows = "".join(
        f"<tr><th align=left>{name}</th><td>{escape(_cut(value))}</td></tr>\n"
        for name, value in _facts(snapshot)
        if value
    )
    pieces = [f"<h2>{escape(words.headline(snapshot.incident))}</h2>", f"<table>\n{rows}</table>"]
    for part in parts:
        lines = [escape(line).replace("\n", "<br>\n") for line in part.lines]
        lines += [
            f'<a href="{escape(words.plain(each.url))}">{escape(words.plain(each.text))}</a>' for each in part.links
        ]
        if lines and part.heading:
            pieces.append(f"<h3>{part.heading}</h3>")
            pieces.append("<ul>\n" + "".join(f"<li>{line}</li>\n" for line in lines) + "</ul>")
        elif lines:
            pieces += [f"<p>{line}</p>" for line in lines]
    pieces.append(f"<p><small>As of {utc(snapshot.taken_at)}</small></p>")
    body = "\n".join(pieces)
    return f"<!doctype html>\n<html><body>\n{body}\n</body></html>\n"


def _cut(text: str, most: int = _LONGEST_TEXT) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _domain(sender: str) -> str:
    return _UNFIT.sub(".", parseaddr(words.plain(sender))[1].rpartition("@")[2]) or "localhost"
