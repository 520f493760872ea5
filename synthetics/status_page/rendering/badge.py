"""Badges as SVG: a word on the left, the state on the right, as wide as their text."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from controlplane.model.palette import LIGHT
from controlplane.model.public_status import ComponentStatus, PublicSnapshot
from synthetics.status_page.rendering import names, standing
from synthetics.status_page.rendering.voice import Voice

HEIGHT: Final = 20
_PADDING: Final = 7
_LONGEST: Final = 40  # characters
_WIDTHS: Final[Mapping[str, float]] = {  # em of a sans-serif letter; a browser stretches the text to what we reckon
    **dict.fromkeys("fijlrtI.,:;|!'()[]-· ", 0.37),
    **dict.fromkeys("mwMW%@—…", 0.95),
    **dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZÄÖÜ&", 0.71),
}
_LETTER: Final = 0.61
_WIDE: Final = 1.05  # of scripts whose letters are squares
_FIRST_WIDE: Final = 0x1100
_FONT_SIZE: Final = 11
_GROUNDS: Final[Mapping[str, str]] = {
    ComponentStatus.OPERATIONAL.value: LIGHT.teal.text,
    ComponentStatus.UNDER_MAINTENANCE.value: LIGHT.grey.text,
    ComponentStatus.DEGRADED.value: LIGHT.amber.text,
    ComponentStatus.PARTIAL.value: LIGHT.vermilion.text,
    ComponentStatus.MAJOR.value: LIGHT.vermilion.text,
    ComponentStatus.UNKNOWN.value: LIGHT.grey.text,
    standing.REDUCED: LIGHT.violet.text,
}  # each reads at 4.5:1 or better below the panel's white: tests/flyball/web/test_tokens.py


def files(snapshot: PublicSnapshot, voice: Voice) -> Iterator[tuple[str, bytes]]:
    """Of the page and of each component, and the page's icon."""
    tone = standing.headline(snapshot).tone
    label = voice.text("badge.label")
    yield names.BADGE, _badge(label, voice.text(f"status.{tone}"), tone, snapshot.page.name, voice)
    for each in snapshot.components:
        word = voice.status(each.status)
        yield names.component_badge(each.id), _badge(each.name, word, each.status.value, each.name, voice)
    yield names.ICON, _icon(tone)


def width_of(text: str) -> int:
    """Pixels that the text takes at our size."""
    widths = (_WIDTHS.get(sign, _WIDE if ord(sign) >= _FIRST_WIDE else _LETTER) for sign in text)
    return round(sum(widths) * _FONT_SIZE)


def _badge(label: str, word: str, tone: str, name: str, voice: Voice) -> bytes:
    left, right = _short(label), _short(word)
    first, second = width_of(left), width_of(right)
    middle, width = first + 2 * _PADDING, first + second + 4 * _PADDING
    title = escape(voice.text("badge.title", name=name, status=word))
    text = f'lengthAdjust="spacingAndGlyphs" y="14" fill="{LIGHT.panel}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}"'
        f' role="img" aria-labelledby="title desc" xml:lang="{voice.catalogue.language}">'
        f'<title id="title">{title}</title><desc id="desc">{escape(label)}: {escape(word)}</desc>'
        f'<clipPath id="round"><rect width="{width}" height="{HEIGHT}" rx="4"/></clipPath>'
        f'<g clip-path="url(#round)"><rect width="{middle}" height="{HEIGHT}" fill="{LIGHT.ink}"/>'
        f'<rect x="{middle}" width="{width - middle}" height="{HEIGHT}" fill="{_GROUNDS[tone]}"/></g>'
        f'<g font-family="Verdana,DejaVu Sans,Noto Sans,sans-serif" font-size="{_FONT_SIZE}">'
        f'<text x="{_PADDING}" textLength="{first}" {text}>{escape(left)}</text>'
        f'<text x="{middle + _PADDING}" textLength="{second}" {text}>{escape(right)}</text></g></svg>\n'
    ).encode()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _icon(tone: str) -> bytes:
    """A disc when all is well; one with a hole when it is not, so that a tab tells without its colour."""
    ground = _GROUNDS[tone]
    calm = tone in (ComponentStatus.OPERATIONAL.value, standing.REDUCED)
    hole = "" if calm else f'<circle cx="16" cy="16" r="6" fill="{LIGHT.panel}"/>'
    disc = f'<circle cx="16" cy="16" r="14" fill="{ground}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{disc}{hole}</svg>\n'.encode()
