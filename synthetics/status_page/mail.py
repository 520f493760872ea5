"""Mail to subscribers: plain text, simple HTML, and headers by which every mail program can end it (RFC 8058)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import Final

from controlplane.model.event import JSON
from synthetics.status_page.notices import CONFIRM

_LONGEST_SUBJECT: Final = 200


@dataclass(frozen=True, slots=True)
class Links:
    """Where the reader may go. `confirm` only of mail that asks."""

    unsubscribe: str
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class _Words:
    confirm_subject: str
    confirm: str
    confirm_button: str
    ignore: str
    why: str
    end: str
    more: str


_ENGLISH: Final = _Words(
    "Confirm: updates of {title}",
    "Somebody, probably you, wants to get updates of {title} by e-mail at this address. If that was you, confirm it:",
    "Confirm",
    "If it was not you, do nothing: you get no further mail.",
    "You get this because you subscribed to {title}.",
    "Unsubscribe",
    "Details and all updates",
)
_GERMAN: Final = _Words(
    "Bitte bestätigen: Meldungen von {title}",
    "Jemand, wohl Sie selbst, möchte unter dieser Adresse Meldungen von {title} bekommen. Wenn Sie das waren:",
    "Bestätigen",
    "Wenn nicht, brauchen Sie nichts zu tun: Sie bekommen keine weitere Post.",
    "Sie bekommen dies, weil Sie {title} abonniert haben.",
    "Abbestellen",
    "Einzelheiten und alle Meldungen",
)
_WORDS: Final = {"en": _ENGLISH, "de": _GERMAN}
_STATUSES: Final = {
    "en": {"in_progress": "In progress"},
    "de": {
        "investigating": "Wird untersucht",
        "identified": "Ursache gefunden",
        "monitoring": "Wird beobachtet",
        "resolved": "Behoben",
        "postmortem": "Rückblick",
        "scheduled": "Geplant",
        "in_progress": "Läuft",
        "verifying": "Wird geprüft",
        "completed": "Beendet",
    },
}


def mail_of(id_: str, payload: Mapping[str, JSON], to: str, links: Links, now: datetime) -> EmailMessage:
    """The message; `id_` makes a stable Message-ID. Raises ValueError for a payload that is none of ours."""
    language = str(payload.get("language", "en"))
    words = _WORDS.get(language, _ENGLISH)
    title = _line(str(payload["title"]))
    mail = EmailMessage(policy=SMTP)
    sender = str(payload["from"])
    domain = _line(sender.rpartition("@")[2]) or "localhost"
    mail["From"] = f'"{title.translate({34: None, 92: None})}" <{_line(sender)}>'
    mail["To"] = _line(to)
    if payload.get("reply_to"):
        mail["Reply-To"] = _line(str(payload["reply_to"]))
    mail["Message-ID"] = f"<{_token(id_)}@{domain}>"
    mail["Date"] = format_datetime(now)
    mail["Auto-Submitted"] = "auto-generated"
    if payload.get("kind") == CONFIRM:
        mail["Subject"] = words.confirm_subject.format(title=title)[:_LONGEST_SUBJECT]
        _write(mail, _Letter([words.confirm.format(title=title)], links.confirm, words.confirm_button, [words.ignore]))
        return mail
    mail["List-Unsubscribe"] = f"<{links.unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    subject, paragraphs, link, thread = _told(payload, title, language)
    mail["Subject"] = subject[:_LONGEST_SUBJECT]
    thread_id = f"<{_token(thread)}@{domain}>"
    mail["References"] = thread_id
    mail["In-Reply-To"] = thread_id
    ending = [words.why.format(title=title)]
    _write(mail, _Letter(paragraphs, link, words.more, ending, links.unsubscribe, words.end))
    return mail


@dataclass(frozen=True, slots=True)
class _Letter:
    paragraphs: list[str]
    link: str
    link_text: str
    ending: list[str]
    end_link: str = ""
    end_text: str = ""


def _told(payload: Mapping[str, JSON], title: str, language: str) -> tuple[str, list[str], str, str]:
    """Subject, paragraphs, link and thread of an update."""
    body = payload.get("body")
    incident = body.get("incident") if isinstance(body, dict) else None
    updates = incident.get("incident_updates") if isinstance(incident, dict) else None
    if not isinstance(incident, dict) or not isinstance(updates, list):
        raise ValueError("the message is about no incident")
    wanted = [one for one in updates if isinstance(one, dict) and one.get("id") == payload.get("update")]
    if not wanted:
        raise ValueError("the message names an update that it does not hold")
    status = str(wanted[0].get("status", ""))
    spoken = _STATUSES.get(language, _STATUSES["en"]).get(status, status.replace("_", " ").capitalize())
    subject = f"[{title}] {spoken}: {_line(str(incident.get('name', '')))}"
    paragraphs = [one.strip() for one in re.split(r"\n\s*\n", str(wanted[0].get("body", ""))) if one.strip()]
    thread = f"{payload.get('page')}-{incident.get('id')}"
    return subject, paragraphs, str(incident.get("shortlink", payload.get("url", ""))), thread


def _write(mail: EmailMessage, letter: _Letter) -> None:
    text = [*letter.paragraphs, f"{letter.link_text}: {letter.link}", *letter.ending]
    if letter.end_link:
        text.append(f"{letter.end_text}: {letter.end_link}")
    mail.set_content("\n\n".join(text) + "\n")
    parts = [f"<p>{escape(one)}</p>".replace("\n", "<br>\n") for one in letter.paragraphs]
    parts.append(f'<p><a href="{escape(letter.link)}">{escape(letter.link_text)}</a></p>')
    parts += [f"<p><small>{escape(one)}</small></p>" for one in letter.ending]
    if letter.end_link:
        parts.append(f'<p><small><a href="{escape(letter.end_link)}">{escape(letter.end_text)}</a></small></p>')
    page = "\n".join(parts)
    mail.add_alternative(f"<!doctype html>\n<html><body>\n{page}\n</body></html>\n", subtype="html")


def _line(text: str) -> str:
    """On one line, without control characters: nothing of it can become a header."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def _token(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", ".", text)[:120]
