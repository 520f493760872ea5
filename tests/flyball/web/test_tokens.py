"""The console's colours: one source, and readable."""

import os
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from controlplane.model.palette import DARK, LIGHT, Hue, Palette
from flyball.web import pages

TOKENS = pages.STATIC / "tokens.css"
HUES = ("teal", "amber", "vermilion", "grey", "violet")


def as_css() -> str:
    """tokens.css as the palette wants it: every colour once, light and dark side by side."""
    lines = [
        "/* Written from controlplane/model/palette.py by `make golden`; change it there. */",
        ":root {",
        "  color-scheme: light dark;",
    ]
    for field in fields(Palette):
        light, dark = getattr(LIGHT, field.name), getattr(DARK, field.name)
        if isinstance(light, str):
            lines.append(f"  --{field.name}: light-dark({light}, {dark});")
        else:
            lines += [
                f"  --{field.name}-{part.name}: light-dark({getattr(light, part.name)}, {getattr(dark, part.name)});"
                for part in fields(Hue)
            ]
    closing = [
        "}",
        "",
        ':root[data-theme="light"] {',
        "  color-scheme: light;",
        "}",
        "",
        ':root[data-theme="dark"] {',
        "  color-scheme: dark;",
        "}",
        "",
    ]
    return "\n".join(lines + closing)


def test_the_tokens_are_the_palette_golden() -> None:
    if os.environ.get("FLYBALL_GOLDEN"):
        TOKENS.write_text(as_css())
    assert TOKENS.read_text() == as_css()


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def words_on_grounds(palette: Palette) -> Iterator[tuple[str, str, str]]:
    for ground in (palette.page, palette.panel):
        yield from (("ink", palette.ink, ground), ("quiet", palette.quiet, ground), ("focus", palette.focus, ground))
        yield from ((name, getattr(palette, name).text, ground) for name in HUES)
    for name in HUES:
        hue = getattr(palette, name)
        yield from ((name, hue.text, hue.wash), ("ink", palette.ink, hue.wash), ("quiet", palette.quiet, hue.wash))


def test_contrast_is_computed_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_words_can_be_read_on_every_ground(palette: Palette) -> None:
    poor = [(*it, round(contrast(it[1], it[2]), 2)) for it in words_on_grounds(palette) if contrast(it[1], it[2]) < 4.5]
    assert poor == []


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_bars_and_controls_stand_out_from_their_ground(palette: Palette) -> None:
    shapes = [getattr(palette, name).fill for name in HUES] + [palette.control, palette.focus]
    grounds = (palette.page, palette.panel, palette.grey.wash)
    assert [(shape, ground) for shape in shapes for ground in grounds if contrast(shape, ground) < 3] == []


def test_no_colour_value_stands_in_another_stylesheet() -> None:
    others = [path for path in pages.STATIC.glob("*.css") if path != TOKENS]
    assert others
    assert [path.name for path in others if "#" in without_ids(path) or "rgb" in path.read_text()] == []


def without_ids(path: Path) -> str:
    """The text without what selects or points at an element: `#chart`, `:has(#theme-light)`, `url("#hatch")`."""
    return re.sub(r'^\s*#[\w-]+|:has\(#[\w-]+|url\("#[\w-]+', "", path.read_text(), flags=re.MULTILINE)
