"""What must not show, taken out of texts and files."""

import base64
import html
import json
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
LEAST_LENGTH: Final = 4  # a shorter one cannot be told from ordinary text


class Masker:
    """Replaces secrets in every form in which they travel: as they are, and in URLs, JSON, HTML and base64."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= LEAST_LENGTH for form in _forms(secret)}
        self._texts = sorted(forms, key=lambda form: (-len(form), form))
        self._bytes = [form.encode() for form in self._texts]

    def text(self, text: str) -> str:
        """The text without them."""
        for form in self._texts:
            text = text.replace(form, MASK)
        return text

    def bytes(self, content: bytes) -> bytes:
        """The same for the content of a file."""
        for form in self._bytes:
            content = content.replace(form, MASK.encode())
        return content


def _forms(secret: str) -> set[str]:
    json_form, plain_json = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    twice = json.dumps(json_form)[1:-1]  # a body in JSON within a trace in JSON
    return {
        secret, quote(secret, safe=""), quote(secret), quote_plus(secret), html.escape(secret), json_form, plain_json,
        twice, encoded, encoded.replace("+", "-").replace("/", "_"),
    }  # fmt: skip
