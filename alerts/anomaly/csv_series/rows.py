"""What is printed of each row of a file: columns for CSV and JSON."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from alerts.anomaly.csv_series.model import CsvFile, Flags, Numbers
from alerts.anomaly.csv_series.scoring import Scored

COLUMNS: Final = (
    "timestamp", "value", "point", "sustained", "anomaly_score", "sustained_score", "yhat", "yhat_lower", "yhat_upper",
    "maturity", "is_anomaly", "series",
)  # fmt: skip
_FIGURES: Final = {
    "point": "point",
    "sustained": "sustained",
    "anomaly_score": "score",
    "sustained_score": "sustained_score",
    "yhat": "expected",
    "yhat_lower": "lower",
    "yhat_upper": "upper",
}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_QUOTE: Final = '"'
_SPECIAL: Final = re.compile(r'[",\r\n]')
_OF_STEP: Final = ("yhat", "yhat_lower", "yhat_upper")  # known before the step is over


@dataclass(frozen=True, slots=True)
class RowScores:
    """Of the rows of one series, in the file's order: a column of figures each (n,), NaN where there is none."""

    series: str
    times: Sequence[str]
    values: Numbers
    figures: dict[str, Numbers] = field(default_factory=dict)
    maturity: Numbers = field(default_factory=lambda: np.empty(0))
    is_anomaly: Flags = field(default_factory=lambda: np.empty(0, dtype=np.bool_))


def row_scores(file: CsvFile, scored: Scored) -> RowScores:
    """Rows without a time or a value have no figures; earlier rows of a step that is not over have its band alone."""
    placed = scored.placed
    cells = placed.cells
    steps = np.maximum(placed.steps, 0)
    has_value = (placed.steps >= 0) & np.isfinite(cells.values)
    stands = has_value & placed.scored
    figures = {}
    for name, of_detector in _FIGURES.items():
        shown = has_value if name in _OF_STEP else stands
        figures[name] = np.where(shown, scored.of_steps(of_detector)[steps].astype(np.float64), np.nan)
    maturity = np.where(has_value, scored.maturity[steps].astype(np.float64), np.nan)
    times = [file.times[row] for row in cells.rows.tolist()]
    return RowScores(scored.name, times, cells.values, figures, maturity, stands & scored.anomalous()[steps])


def csv_lines(found: RowScores) -> list[str]:
    """A line each, by `COLUMNS`: six significant digits, empty where there is none; `is_anomaly` is 1 or 0."""
    values = ["" if value != value else repr(value).removesuffix(".0") for value in found.values.tolist()]
    columns = [_texts(found.figures[name]) for name in _FIGURES]
    maturity = ["" if value != value else str(int(value)) for value in found.maturity.tolist()]
    ends = [f"{'1' if each else '0'},{quoted(found.series)}\n" for each in (False, True)]
    endings = [ends[each] for each in found.is_anomaly.tolist()]
    times = map(quoted, found.times)
    return list(map(",".join, zip(times, values, *columns, maturity, endings, strict=True)))


def quoted(text: str) -> str:
    """As a cell of CSV (RFC 4180). What a spreadsheet would run as a formula gets an apostrophe."""
    if text.startswith(_FORMULA) and not text.lstrip("+-").replace(".", "", 1).isdigit():
        text = f"'{text}"
    return f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if _SPECIAL.search(text) else text


def _texts(numbers: Numbers) -> list[str]:
    return ["" if value != value else f"{value:.6g}" for value in numbers.tolist()]


def json_rows(found: RowScores) -> Iterator[dict[str, object]]:
    """As JSON objects; null where there is none."""
    names = ("point", *list(_FIGURES)[1:])
    figures = {name: found.figures[name].tolist() for name in names}
    for place, (time, value) in enumerate(zip(found.times, found.values.tolist(), strict=True)):
        row: dict[str, object] = {"timestamp": time, "value": None if value != value else value}
        for name in names:
            number = figures[name][place]
            row[name] = None if number != number else float(f"{number:.6g}")
        level = found.maturity[place]
        row["maturity"] = None if level != level else int(level)
        row["is_anomaly"] = bool(found.is_anomaly[place])
        yield row
