"""What people write into labels and descriptions, and what it means to us. The same for all senders."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from exporters.events.translating import making
from exporters.events.translating.reading import LONGEST_NAME, line

MOST_LABELS: Final = 100
INCIDENT: Final = "incident"
_MARKED: Final = re.compile(r"(?P<name>[^:/=]{1,50}?)\s*(?:::|[:/=])\s*(?P<value>.+)")
_PRIORITY: Final = re.compile(r"(?:p|sev)?[ _-]?([0-5])", re.IGNORECASE)
_BARE: Final = re.compile(r"(?:p|sev)[ _-]?[0-5]", re.IGNORECASE)
_WORDS: Final = {
    "page": "P1", "critical": "P1", "error": "P2", "high": "P2", "major": "P2", "ticket": "P3", "warning": "P3",
    "medium": "P3", "minor": "P3", "low": "P4", "info": "P4", "none": "P4",
}  # fmt: skip
_REAPPLIED: Final = re.compile(r'(?:reapply|revert "revert)\b', re.IGNORECASE)
_REVERTS: Final = re.compile(
    r"^This reverts (?:commit (?P<revision>[0-9a-f]{7,64})|merge request (?P<merge>[^\s#!]{0,200}![0-9]{1,18}))"
    r"|^Reverts (?P<pull>[^\s#!]{0,200}#[0-9]{1,18})",
    re.MULTILINE,
)
_REMEDIES: Final = re.compile(r"^[ \t>*-]{0,9}(?:remedies|fixes-incident)[ \t]*:[ \t]*(\S{1,200})", re.I | re.M)
_CAUSE: Final = re.compile(
    r"^[ \t>*-]{0,9}(?:deployment|caused[ -]by|root[ -]cause)[ \t]*:[ \t]*(\S{1,200})", re.I | re.M
)


def labels(told: Iterable[str]) -> list[str]:
    """Labels as they are kept: each once, bounded."""
    return list(dict.fromkeys(text for text in told if text))[:MOST_LABELS]


def values(told: Sequence[str], name: str) -> list[str]:
    """Values of labels `NAME:VALUE`, `NAME::VALUE` or `NAME/VALUE`, cases of the name aside."""
    marked = (_MARKED.fullmatch(text) for text in told)
    found = (each["value"].strip() for each in marked if each and each["name"].strip().lower() == name)
    return list(dict.fromkeys(text for text in found if text))


def first(told: Sequence[str], name: str) -> str:
    """The first of them, or empty."""
    return next(iter(values(told, name)), "")


def is_incident(told: Sequence[str]) -> bool:
    """Whether a label says `incident`, bare or as the value of `type`, `kind` or `category`."""
    bare = {text.strip().lower() for text in told}
    marked = {value.lower() for name in ("type", "kind", "category") for value in values(told, name)}
    return INCIDENT in bare | marked


def priority(word: str) -> str:
    """`P0` … `P4` for what senders call priority or severity; empty when it says nothing that is known."""
    text = word.strip().lower()
    found = _PRIORITY.fullmatch(text)
    if found:
        return f"P{min(int(found[1]), 4)}"
    return _WORDS.get(text, "")


def priority_in(told: Sequence[str]) -> str:
    """The priority that labels say: `priority:high`, `severity/2`, or a bare `P1`, `sev1`."""
    marked = [value for name in ("priority", "severity", "sev") for value in values(told, name)]
    bare = [text for text in told if _BARE.fullmatch(text.strip())]
    return next((found for text in [*marked, *bare] if (found := priority(text))), "")


def incident_words(
    action: str, opened_at: datetime, changed_at: datetime, closed_at: datetime | None, *, is_addressed: bool
) -> list[tuple[str, datetime]]:
    """What an action (`open`, `reopen`, `clos`, any other) on an issue says of the incident, and when that was.

    Its words may change at any time, also when all is over: that is news. An issue that became an incident when it was
    closed already is told whole. One that is reopened was detected before, even where nobody told of that.
    """
    begun = (making.DETECTED, opened_at)
    said = {"open": [begun], "reopen": [begun, (making.DETECTED, changed_at)]}
    news = (making.REPORTED, changed_at) if is_addressed else begun
    found = [] if action.startswith("clos") else said.get(action, [news])
    return [*found, (making.RESOLVED, closed_at)] if closed_at is not None else found


def reverted(title: str, text: str) -> str:
    """What a change takes back, in the words that git, GitHub and GitLab write; empty when it takes nothing back.

    Applying again what was reverted is a change of its own, and no mishap of the revert.
    """
    if _REAPPLIED.match(title):
        return ""
    found = _REVERTS.search(text)
    return next((said for said in found.groups() if said), "") if found else ""


def remedied(text: str) -> str:
    """The incident because of which a change was made: a line `Remedies: INC-7` of its description."""
    found = _REMEDIES.search(text)
    return line(found[1])[:LONGEST_NAME] if found else ""


def cause(text: str) -> str:
    """What caused an incident: a line `Deployment: …`, `Caused by: …` or `Root cause: …` of its description.

    The rest of the line must be one word: a deployment, a version or a revision.
    """
    found = _CAUSE.search(text)
    return line(found[1])[:LONGEST_NAME] if found else ""
