"""What looks like a secret, and how secrets are kept out of what is told."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from synthetics.masking import Masker
from synthetics.probes.variables import without_references

_SECRET: Final = re.compile(
    r"(?:^|[-_.])(?:authorization|cookie|passw(?:or)?d|pwd|secret|token|(?:api|app|access|auth|private)[-_]?key"
    r"|credentials?|signature|sig)(?:$|[-_.])|(?:token|secret|password|apikey)$",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"\s*[A-Za-z][A-Za-z0-9-]{0,30}\s*|[\s:;=]*")
_IN_BODY: Final = re.compile(
    r"""["']?(?:password|passwd|(?:client_)?secret|api_?key|(?:access_)?token)["']?[ \t]*[:=][ \t]*["']?[^"'\s&,}]""",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Whether a header or a parameter of that name usually holds a secret."""
    return _SECRET.search(name) is not None


def holds_secret(name: str, value: str) -> bool:
    """Whether a header holds a secret in plain text: `Bearer ${env:TOKEN}` does not, `Bearer abc` does."""
    if not is_secret_name(name):
        return False
    rest = without_references(value)
    return bool(rest.strip()) if rest == value else _SCHEME.fullmatch(rest) is None


def body_holds_secret(body: str) -> bool:
    """Whether a body gives a password or a token in plain text."""
    return _IN_BODY.search(without_references(body)) is not None


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with secrets as `***`, in whatever form they stand; very short ones would hide harmless words."""
    return _masker(tuple(secrets)).text(text)


@lru_cache(maxsize=2048)
def _masker(secrets: tuple[str, ...]) -> Masker:
    """Made once for each set of secrets: a probe runs often."""
    return Masker(secrets)
