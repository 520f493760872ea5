"""PromQL inside Grafana: text that neither Grafana's variables nor quotes can change.

Grafana replaces `$name`, `${name}` and `[[name]]` in a query before Prometheus sees it. Outside of strings PromQL knows
neither `$` nor `[[`, so strings are the only place where a user's own text could be taken for a variable.
"""

import re
from typing import Final

_TOKENS: Final = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
      | (?P<raw>`[^`]*`)""",
    re.VERBOSE,
)
_INVISIBLE: Final = "\u2060"  # word joiner: keeps Grafana from seeing a variable, readers see nothing


def quoted(value: str) -> str:
    """A PromQL string literal for any text, safe in Grafana."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{_hidden_from_grafana(escaped)}"'


def inert_query(query: str) -> str:
    """The user's query, with the same meaning, in which Grafana finds no variable; comments are left out."""
    return _TOKENS.sub(_inert_token, query).strip()


def inert_text(text: str) -> str:
    """Words for titles and descriptions in which Grafana finds no variable; they read the same."""
    return re.sub(r"\$(?=[\w{])", f"${_INVISIBLE}", text).replace("[[", f"[{_INVISIBLE}[")


def inert_url(url: str) -> str:
    """A link in which Grafana finds no variable."""
    return url.replace("$", "%24").replace("[[", "%5B%5B")


def _inert_token(match: re.Match[str]) -> str:
    if match["comment"] is not None:
        return ""
    if match["raw"] is not None:
        content = match["raw"][1:-1]
        return quoted(content) if "$" in content or "[[" in content else match["raw"]
    return _hidden_from_grafana(match["string"])


def _hidden_from_grafana(literal: str) -> str:
    r"""Escape what Grafana would take for a variable, as `\x24` and `\x5b`, which PromQL reads as `$` and `[`."""
    return literal.replace("$", r"\x24").replace("[[", r"\x5b[")
