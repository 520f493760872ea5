"""The texts of one language, and how it writes numbers, dates and lengths of time.

A catalogue is a TOML file: sections of texts with `{placeholders}`; a text that depends on a number is a table of
CLDR's plural categories. English is complete by definition; a test compares the others with it.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_FLOOR, Decimal
from functools import cache
from importlib.resources import files
from typing import Final

CATEGORIES: Final = frozenset({"zero", "one", "two", "few", "many", "other"})
NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_PLURALS: Final[Mapping[str, Callable[[int], str]]] = {  # unicode.org/cldr: cardinal rules of whole numbers
    "one-other": lambda count: "one" if count == 1 else "other",
    "other": lambda count: "other",
}
_UNITS: Final = (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
_PERCENT_PLACES: Final = Decimal("0.001")

Texts = Mapping[str, "str | Mapping[str, str]"]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Texts by `section.name`. `direction` is `ltr` or `rtl`, `plural` names the language's rule."""

    language: str
    direction: str
    plural: str
    texts: Texts

    def text(self, key: str, /, **values: object) -> str:
        """The text with its placeholders filled in. Raises `KeyError` for a text that no catalogue has."""
        found = self.texts[key]
        if not isinstance(found, str):
            raise KeyError(f"{key} depends on a number")
        return found.format(**values)

    def counted(self, key: str, count: int, /, **values: object) -> str:
        """The form for that number; `{count}` is it, as the language writes it."""
        found = self.texts[key]
        if isinstance(found, str):
            raise KeyError(f"{key} does not depend on a number")
        form = found.get(_PLURALS[self.plural](count), found["other"])
        return form.format(count=self.number(count), **values)

    def number(self, value: int | Decimal) -> str:
        """All its digits, in groups: `7,776,000`, `7.776.000`."""
        signs = {",": self.text("number.thousands"), ".": self.text("number.decimal"), "-": "−"}
        return "".join(signs.get(sign, sign) for sign in (f"{value:,d}" if isinstance(value, int) else f"{value:,f}"))

    def percent(self, ratio: Decimal | None) -> str:
        """Up to three decimals, never rounded up: `100 %` means that nothing was down."""
        if ratio is None:
            return self.text("uptime.none")
        value = (ratio * 100).quantize(_PERCENT_PLACES, rounding=ROUND_FLOOR)
        return self.text("number.percent", value=self.number(plain(value)))

    def duration(self, seconds: int) -> str:
        """The two largest units: `1 hour 7 minutes`."""
        left = max(seconds, 0)
        for position, (unit, size) in enumerate(_UNITS):
            if left >= size:
                parts = [(unit, left // size)]
                for smaller, small in _UNITS[position + 1 : position + 2]:
                    parts.append((smaller, left % size // small))
                return " ".join(self.counted(f"length.{name}", count) for name, count in parts if count)
        return self.counted("length.seconds", 0)

    def day(self, day: date) -> str:
        """`30 November 2026`."""
        return self.text("date.day", day=day.day, month=self.month_name(day), year=day.year)

    def month(self, day: date) -> str:
        """`November 2026`."""
        return self.text("date.month", month=self.month_name(day), year=day.year)

    def month_name(self, day: date) -> str:
        """`November`."""
        return self.text(f"months.{day.month}")

    def moment(self, local: datetime) -> str:
        """A time in its own zone: `30 November 2026, 19:21 CET`."""
        return self.text("date.moment", day=self.day(local.date()), time=self.clock(local))

    def clock(self, local: datetime) -> str:
        """`19:21 CET`."""
        return self.text("date.time", time=f"{local:%H:%M}", zone=self.zone(local))

    def zone(self, local: datetime) -> str:
        """Its abbreviation, or what is added to UTC where there is none."""
        name = local.tzname() or "UTC"
        if name.lstrip("+-").isdecimal():
            offset = f"{local:%z}"
            return f"UTC{offset[:3].replace('-', '−')}" + (f":{offset[3:]}" if offset[3:] != "00" else "")
        found = self.texts.get(f"zones.{name}", name)
        return found if isinstance(found, str) else name


def plain(value: Decimal) -> Decimal:
    """Without zeros at its end and without an exponent."""
    whole = value.to_integral_value()
    return whole if value == whole else value.normalize()


def parsed(language: str, content: str) -> Catalogue:
    """The catalogue in a TOML text."""
    sections = tomllib.loads(content)
    about = sections.pop("language")
    texts = {f"{section}.{name}": text for section, held in sections.items() for name, text in held.items()}
    return Catalogue(language, about["direction"], about["plural"], texts)


@cache
def catalogue(language: str) -> Catalogue:
    """That of a known language."""
    source = files("synthetics.status_page.rendering") / "catalogues" / f"{language}.toml"
    return parsed(language, source.read_text(encoding="utf-8"))
