"""Cells as numbers: missing ones, decimal commas, thousands separators, per cent signs, currencies."""

import math
import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from alerts.anomaly.csv_series.model import Numbers, Places

MISSING: Final = frozenset(
    {"", "nan", "null", "none", "na", "n/a", "nil", "-", "--", "undefined", "no data", "nodata", "inf", "+inf", "-inf"}
    | {"infinity", "-infinity", "+infinity", "#n/a", "missing", "?", "\\n"}
)
_COMMA: Final = re.compile(r"[-+]?(\d{1,3}([. \u00a0\u202f]\d{3})+|\d+),\d+")
_CODES: Final = "USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD"
_CURRENCY: Final = re.compile(rf"([-+]?) ?(?:[$€£¥]|(?:{_CODES}) ) ?(?=\d)|(?<=\d) ?(?:[$€£¥]|(?<= )(?:{_CODES}))$")
_THOUSANDS: Final = re.compile(r"[-+]?\d{1,3}([, \u00a0\u202f']\d{3})+(\.\d+)?")


def number(cell: str, *, decimal_comma: bool) -> float | None:
    """The number; NaN where the cell says that there is none (or infinity); None where it is something else.

    Signs of per cent and of currencies are left off: 12.5 % is 12.5, as is $12.50 or 12.50 EUR.
    """
    try:
        found = float(cell)
    except ValueError:
        return _unusual(cell.strip(), decimal_comma=decimal_comma)
    return found if math.isfinite(found) and abs(found) < _LARGEST else math.nan


_LARGEST: Final = 1e30  # squares of it still fit into float64, itself into float32


def _unusual(text: str, *, decimal_comma: bool) -> float | None:
    if text.lower() in MISSING:
        return math.nan
    text = _CURRENCY.sub(r"\1", text.removesuffix("%").rstrip(), count=1)
    if decimal_comma and _COMMA.fullmatch(text):
        text = re.sub(r"[. \u00a0\u202f]", "", text).replace(",", ".")
    elif _THOUSANDS.fullmatch(text):
        text = re.sub(r"[, \u00a0\u202f']", "", text)
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) < _LARGEST else math.nan


def numbers(cells: Sequence[str], *, decimal_comma: bool) -> tuple[Numbers, Places]:
    """Those of a column, and the places of cells that are no numbers at all (NaN in the first)."""
    try:
        found = np.array(list(map(float, cells)), dtype=np.float64)  # a text array would be as wide as its longest cell
    except ValueError:
        return _one_by_one(cells, decimal_comma)
    found[~(np.abs(found) < _LARGEST)] = np.nan
    return found, np.empty(0, dtype=np.int64)


def _one_by_one(cells: Sequence[str], decimal_comma: bool) -> tuple[Numbers, Places]:
    read = [number(cell, decimal_comma=decimal_comma) for cell in cells]
    strange = [place for place, each in enumerate(read) if each is None]
    return np.array([math.nan if each is None else each for each in read]), np.array(strange, dtype=np.int64)
