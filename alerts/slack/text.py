"""Text for Slack's mrkdwn: what others wrote is escaped, so that it can mention nobody and link nowhere; and cut."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from alerts.messages.words import paragraph, plain
from alerts.slack.limits import size

_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}  # docs.slack.dev/messaging/formatting-message-text
_MORE: Final = "…"
_LONGEST_LINK: Final = 1_000
_IN_URL: Final = ":/?#[]@!$&'()*+,;=%~-._"


def escaped(text: str, most: int) -> str:
    """Somebody else's words on one line, at most `most` long as they are sent; never half an entity at the end."""
    return _fitted(plain(text), most)


def escaped_lines(text: str, most: int) -> str:
    """The same, with lines kept."""
    return _fitted(paragraph(text), most)


def cut(text: str, most: int) -> str:
    """For `plain_text`, which is not escaped: on one line and at most `most` long."""
    return _joined(plain(text)[: most + 1], most)


def _fitted(text: str, most: int) -> str:
    return _joined([_ESCAPES.get(character, character) for character in text[: most + 1]], most)


def _joined(pieces: Sequence[str], most: int) -> str:
    """As many as fit; when they are not all, with a sign that there is more."""
    whole = "".join(pieces)
    if size(whole) <= most:
        return whole
    kept, length = [], size(_MORE)
    for piece in pieces:
        length += len(piece) + (piece > "\uffff")  # one character beyond that takes two units
        if length > most:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + _MORE


def link(text: str, url: str, most: int = 150) -> str:
    """A link, or only its text when the URL is none of the web's or too long to be shown."""
    target = web_url(url, _LONGEST_LINK)
    words = escaped(text, most).replace("|", "¦")
    return f"<{target}|{words}>" if target and words else words


def web_url(url: str, most: int) -> str:
    """The URL with what could end a link encoded; empty for one that is not http or https, or too long."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    safe = quote(url.strip(), safe=_IN_URL, errors="replace")
    return safe if size(safe) <= most else ""


def moment(at: datetime) -> str:
    """A time as the reader's own clock shows it, with UTC beside it."""
    utc = f"{at:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{utc}> ({at:%H:%M} UTC)"


def second(at: datetime) -> str:
    """The same to the second, for lines of a thread."""
    return f"<!date^{int(at.timestamp())}^{{time_secs}}|{at:%H:%M:%S}> ({at:%H:%M:%S} UTC)"
