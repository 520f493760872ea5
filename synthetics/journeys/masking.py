"""What must not show, taken out of texts and files."""

import base64
import html
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

MASK: Final = "***"
LEAST_LENGTH: Final = 4  # a shorter one cannot be told from ordinary text


class Masker:
    """Replaces secrets in every form in which they travel: as they are, and in URLs, JSON, HTML and base64.

    Programs differ in which characters they escape, and in how: each character may have any of its forms.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        hidden = sorted({secret for secret in secrets if len(secret) >= LEAST_LENGTH}, key=lambda one: (-len(one), one))
        forms = [form for secret in hidden for form in (_pattern(secret), *map(re.escape, _in_base64(secret)))]
        self._texts = [re.compile(form) for form in forms]
        self._bytes = [re.compile(form.encode(errors="surrogatepass")) for form in forms]

    def text(self, text: str) -> str:
        """The text without them."""
        for pattern in self._texts:
            text = pattern.sub(MASK, text)
        return text

    def bytes(self, content: bytes) -> bytes:
        """The same for the content of a file."""
        for pattern in self._bytes:
            content = pattern.sub(MASK.encode(), content)
        return content


def _pattern(secret: str) -> str:
    return "".join(_any_form(character) for character in secret)


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
