"""The one style sheet: the palette as custom properties, then the rules. Its name holds its digest."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

from controlplane.model.palette import DARK, LIGHT, Hue, Palette


@dataclass(frozen=True, slots=True)
class StyleSheet:
    """A path that changes whenever the content does, so that browsers may keep it for good."""

    path: str
    content: bytes


@cache
def style_sheet() -> StyleSheet:
    """The same for every page."""
    rules = (files("synthetics.status_page.rendering") / "status.css").read_text(encoding="utf-8")
    content = f"{_tokens()}\n{rules}".encode()
    return StyleSheet(f"assets/status-{hashlib.sha256(content).hexdigest()[:12]}.css", content)


def _tokens() -> str:
    """Light by default, dark for who asks for it, and a switch in the page above both."""
    light, dark = _scheme(LIGHT, "light"), _scheme(DARK, "dark")
    return "\n".join(
        (
            f":root{{{light}}}",
            f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}",
            f":root:has(#colours-light:checked){{{light}}}",
            f":root:has(#colours-dark:checked){{{dark}}}",
            f"@media print{{:root,:root:has(#colours-dark:checked){{{light}}}}}",
        )
    )


def _scheme(palette: Palette, name: str) -> str:
    return "".join((f"color-scheme:{name};", *(f"--{key}:{value};" for key, value in _colours(palette))))


def _colours(palette: Palette) -> Iterator[tuple[str, str]]:
    for field in fields(Palette):
        value = getattr(palette, field.name)
        if isinstance(value, str):
            yield field.name, value
        else:
            yield from ((f"{field.name}-{part.name}", getattr(value, part.name)) for part in fields(Hue))
