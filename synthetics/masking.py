"""What must not show, taken out of texts and files."""

import base64
import html
import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import quote

MASK: Final = "***"
LEAST_LENGTH: Final = 4  # a shorter one cannot be told from ordinary text
_BEGINNING: Final = 8  # characters of a secret that are one wherever they stand
_AFTER_A_CUT: Final = "…`"


class Masker:
    """Replaces secrets in every form in which they travel: as they are, and in URLs, JSON, HTML and base64.

    Programs differ in which characters they escape, and in how: each character may have any of its forms.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        hidden = {part for secret in secrets for part in _parts(secret)}
        ordered = sorted(hidden, key=lambda one: (-len(one), one))
        forms = [form for secret in ordered for form in (_pattern(secret), *map(re.escape, _in_base64(secret)))]
        self._texts = [re.compile(form) for form in forms]
        self._bytes = [re.compile(form.encode(errors="surrogatepass")) for form in forms]
        self._beginnings = [[_compiled(each) for each in secret] for secret in ordered]

    def text(self, text: str) -> str:
        """The text without them, and without the beginning of one that was cut off."""
        for pattern in self._texts:
            text = pattern.sub(MASK, text)
        for characters in self._beginnings:
            text = _without_beginnings(text, characters)
        return text

    def bytes(self, content: bytes) -> bytes:
        """The same for the content of a file, in which nothing is cut off."""
        for pattern in self._bytes:
            content = pattern.sub(MASK.encode(), content)
        return content


def _parts(secret: str) -> list[str]:
    """The secret, and lines of it that are long enough: programs indent what has several lines."""
    lines = [line.strip() for line in secret.splitlines()] if "\n" in secret else []
    return [one for one in (secret, *(line for line in lines if len(line) >= _BEGINNING)) if len(one) >= LEAST_LENGTH]


def _without_beginnings(text: str, characters: Sequence[re.Pattern[str]]) -> str:
    """Without what is so long a beginning of the secret that it tells something; a short one only where text ends."""
    pieces, at = [], 0
    while found := characters[0].search(text, at):
        end, length = found.end(), 1
        while length < len(characters) and (following := characters[length].match(text, end)):
            end, length = following.end(), length + 1
        is_cut = end == len(text) or text[end] in _AFTER_A_CUT
        if length >= _BEGINNING or (length >= LEAST_LENGTH and is_cut):
            pieces += [text[at : found.start()], MASK]
            at = end
        else:
            pieces.append(text[at : found.end()])
            at = found.end()
    return "".join((*pieces, text[at:]))


def _pattern(secret: str) -> str:
    return "".join(_any_form(character) for character in secret)


@lru_cache(maxsize=1024)
def _compiled(character: str) -> re.Pattern[str]:
    return re.compile(_any_form(character))


def _any_form(character: str) -> str:
    """A character as it may stand in URLs, JSON, HTML and program text. Letters and digits stay as they are."""
    if character.isascii() and character.isalnum():
        return character
    in_url = quote(character, safe="", errors="surrogatepass")
    in_url = in_url if in_url.startswith("%") else f"%{ord(character):02X}"
    in_json = json.dumps(character)[1:-1]
    as_number = "".join(f"\\u{unit:04x}" for unit in _utf16(character))
    forms = {character, in_url, in_url.replace("%", "%25"), in_json, as_number, html.escape(character)}
    forms |= {f"\\{character}", repr(character)[1:-1]}
    forms |= {f"&#{ord(character)};", f"&#x{ord(character):x};"}
    forms |= {" ": {"+"}, "/": {"\\/"}}.get(character, set())
    forms |= {json.dumps(form, ensure_ascii=False)[1:-1] for form in forms}  # a body in JSON within a trace in JSON
    forms |= {form.lower() for form in forms if "%" in form} | {form.upper() for form in forms if "%" in form}
    return f"(?:{'|'.join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))})"


def _utf16(character: str) -> list[int]:
    units = character.encode("utf-16-be", errors="surrogatepass")
    return [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]


def _in_base64(secret: str) -> list[str]:
    encoded = base64.b64encode(secret.encode(errors="surrogatepass")).decode().rstrip("=")
    return list(dict.fromkeys((encoded, encoded.replace("+", "-").replace("/", "_"))))
