"""Public holidays, by the package `holidays`: it is slow to import, and imported where a calendar asks for it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import holidays
from holidays.registry import COUNTRIES, EntityLoader

from controlplane.specfile import did_you_mean

_LANGUAGE: Final = "en_US"  # where the package has it; otherwise names are in the country's own
_LONGEST_CODE: Final = 3
_SHOWN: Final = 20  # parts of a country that a hint lists


@dataclass(frozen=True, slots=True)
class Place:
    """A country, with or without a part of it: `code` as `holidays_of` takes it; or why it is none."""

    code: str
    fault: str = ""
    hint: str = ""


def place_of(written: str) -> Place:
    """Read `DE`, `DE-BY`, `DEU`, letter case aside."""
    country, _, part = written.strip().partition("-")
    codes = {code.upper(): code for code in EntityLoader.get_country_codes()}
    code = codes.get(country.upper())
    if code is None:
        meant = _meant(country, codes)
        message = f"`{written[:80]}` is no country whose holidays are known"
        told = f", did you mean `{meant}`?" if meant else ""
        return Place("", message + told, "" if meant else "such as US or DE-BY")
    if not part:
        return Place(code)
    known = _parts(code)
    found = known.get(part.upper())
    if found is None:
        meant = did_you_mean(part, known)
        message = f"`{code}` has no part `{part[:40]}`" + (f", did you mean `{code}-{known[meant]}`?" if meant else "")
        every = sorted(set(known.values()))
        shown = ", ".join(every[:_SHOWN]) + (", …" if len(every) > _SHOWN else "")
        return Place("", message, "" if meant else f"known: {shown}" if every else f"write `{code}`")
    return Place(f"{code}-{found}")


def _meant(country: str, codes: Collection[str]) -> str | None:
    """The code of a country that was written with its name, or of one whose code is near."""
    if len(country) <= _LONGEST_CODE:
        return did_you_mean(country, codes)
    names = {module.replace("_", " "): known[1] for module, known in COUNTRIES.items()}
    near = did_you_mean(country, names)
    return names[near] if near else None


def holidays_of(place: str, years: Sequence[int]) -> dict[date, str]:
    """Public holidays by day, in order, with their names; days off for those on a weekend, too.

    Raises KeyError for a place that is none.
    """
    found: dict[date, str] = {}
    for year in sorted(years):
        found |= _in_year(place, year)
    return found


@lru_cache(maxsize=256)
def _in_year(place: str, year: int) -> dict[date, str]:
    country, _, part = place.partition("-")
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=[year], language=_LANGUAGE)
    except NotImplementedError as error:
        raise KeyError(place) from error
    return {day: str(found[day]) for day in sorted(found) if day.year == year}


def _parts(code: str) -> dict[str, str]:
    """Parts of a country as they may be written, and by their codes."""
    entity = getattr(holidays, code)
    aliases: dict[str, str] = getattr(entity, "subdivisions_aliases", {})
    return {part.upper(): part for part in entity.subdivisions} | {
        alias.upper(): part for alias, part in aliases.items()
    }
