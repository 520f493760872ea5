"""A scored file as a table, as CSV and as JSON, and what was guessed about it in words."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import compress
from typing import Final

import numpy as np

from alerts.anomaly.csv_series.model import CsvFile, Places
from alerts.anomaly.csv_series.rows import COLUMNS, csv_lines, json_rows, row_scores
from alerts.anomaly.csv_series.scoring import Scored
from alerts.anomaly.csv_series.telling import Anomaly, anomalies, anomalies_of
from alerts.anomaly.explaining.sentences import how_far, short_baseline
from alerts.anomaly.model import Maturity
from controlplane import wording
from controlplane.calendar.zones import zone as zone_named

_TOGETHER: Final = 50_000  # lines that are written at once
_SHOWN_NAME: Final = 24


def guesses(file: CsvFile, scored: Sequence[Scored]) -> Iterator[str]:
    """What was guessed, and what that means for the rows."""
    steps = sorted({each.placed.step.seconds for each in scored})
    said = ", ".join(wording.duration(timedelta(seconds=each)) for each in steps[:4])
    split = f", series by {', '.join(file.by_columns)}" if file.by_columns else ""
    values = ", ".join(file.value_columns[:4]) + (" …" if len(file.value_columns) > 4 else "")
    yield f"Time: {file.time_column}, value: {values}{split}, step: {said}."
    yield from (f"{note[:1].upper()}{note[1:]}." for note in file.notes)
    shared = sum(each.placed.shared for each in scored)
    rows = sum(len(each.placed.cells.rows) for each in scored)
    if shared > 0.001 * rows:
        yield (
            f"{shared:,} of {rows:,} rows share their step with a later one: the mean of a step is scored, at its last "
            "row. --step or --by may fit better."
        )
    if scored and all(int(each.maturity.max(initial=0)) < Maturity.DAILY for each in scored):
        yield "Less than a day: there is only a level to compare with, so nothing is told. --early tells it."


# --- a table ---------------------------------------------------------------------------------------------------------


def table(file: CsvFile, scored: Sequence[Scored], *, most: int, zone: str) -> str:
    """The worst anomalies in the order of time, and a line that sums up."""
    found = anomalies(scored)
    worst = sorted(found, key=lambda each: -each.excess)[:most]
    shown = [each for each in found if each in worst] if len(found) > most else found
    lines = [*_lines(shown, zone, several=len(scored) > 1), ""] if shown else []
    return "\n".join([*lines, _sum(file, scored, found, len(shown)), ""])


def _lines(shown: Sequence[Anomaly], zone: str, *, several: bool) -> Iterator[str]:
    header = ["START", "FOR", "WORST", "EXPECTED", "SCORE", "RARITY", "COMPARED WITH"]
    rows = [_cells(each, zone) for each in shown]
    if several:
        header.insert(0, "SERIES")
        rows = [[_cut(each.series), *cells] for each, cells in zip(shown, rows, strict=True)]
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]
    left = {"SERIES", "START", "COMPARED WITH"}
    for row in [header, *rows]:
        cells = [
            cell.ljust(width) if title in left else cell.rjust(width)
            for cell, width, title in zip(row, widths, header, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def _cells(each: Anomaly, zone: str) -> list[str]:
    facts = each.facts
    band = "" if facts.lower is None or facts.upper is None else f"{_said(facts.lower)} to {_said(facts.upper)}"
    rarity = max((it for it in (facts.point, facts.sustained) if it is not None), default=None)
    return [
        _when(each.start, zone),
        wording.duration(each.end - each.start),
        _said(facts.value),
        band,
        how_far(each.excess),
        "" if rarity is None else f"{rarity:.2f}",
        short_baseline(facts.baseline),
    ]


def _said(value: float | None) -> str:
    return "" if value is None else wording.count(value)


def _when(at: datetime, zone: str) -> str:
    local = at.astimezone(zone_named(zone))
    seconds = f":{local:%S}" if local.second else ""
    return f"{local:%Y-%m-%d %H:%M}{seconds}{'Z' if zone == 'UTC' else f'{local:%z}'}"


def _cut(name: str) -> str:
    return name if len(name) <= _SHOWN_NAME else f"{name[: _SHOWN_NAME - 1]}…"


def _sum(file: CsvFile, scored: Sequence[Scored], found: Sequence[Anomaly], shown: int) -> str:
    rows = sum(len(each.placed.cells.rows) for each in scored)
    length = max((each.panel.grid.count * each.panel.grid.step for each in scored), default=timedelta(0))
    steps = sum(int(each.anomalous().sum()) for each in scored)
    counted = "No anomaly" if not found else f"{len(found):,} {'anomaly' if len(found) == 1 else 'anomalies'}"
    if shown < len(found):
        counted += f" (the {shown} worst are shown)"
    anomalous = f", {steps:,} anomalous steps" if found else ""
    series = f"{len(scored):,} series" if len(scored) > 1 else "1 series"
    return f"{file.path}: {counted}{anomalous} in {rows:,} rows of {series} over {wording.duration(length)}."


# --- for programs ----------------------------------------------------------------------------------------------------


def csv_text(file: CsvFile, scored: Sequence[Scored], *, only_anomalies: bool) -> Iterator[str]:
    """Every row of the file in its order, RFC 4180; in wide files a row for each series."""
    yield ",".join(COLUMNS) + "\n"
    lines: list[str] = []
    places: list[Places] = []
    for each in scored:
        found = row_scores(file, each)
        wanted = found.is_anomaly if only_anomalies else np.ones(len(found.values), dtype=np.bool_)
        lines += compress(csv_lines(found), wanted.tolist()) if only_anomalies else csv_lines(found)
        places.append(each.placed.cells.rows[wanted])
    order = np.argsort(np.concatenate(places), kind="stable").tolist() if places else []
    for start in range(0, len(order), _TOGETHER):
        yield "".join([lines[place] for place in order[start : start + _TOGETHER]])


def json_text(file: CsvFile, scored: Sequence[Scored], *, only_anomalies: bool) -> Iterator[str]:
    """One object: what was guessed, and for each series its points, in the file's order, and its anomalies."""
    head = {
        "file": file.path,
        "time_column": file.time_column,
        "value_columns": list(file.value_columns),
        "by": list(file.by_columns),
        "notes": list(file.notes),
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "series": ['
    for number, each in enumerate(scored):
        start = {"name": each.name, "step_seconds": each.placed.step.seconds, "anomalies": _anomalies(each)}
        yield (", " if number else "") + json.dumps(start, ensure_ascii=False)[:-1] + ', "points": ['
        points = (row for row in json_rows(row_scores(file, each)) if row["is_anomaly"] or not only_anomalies)
        yield from _joined(json.dumps(point, ensure_ascii=False) for point in points)
        yield "]}"
    yield "]}\n"


def _joined(texts: Iterator[str]) -> Iterator[str]:
    held: list[str] = []
    separator = ""
    for text in texts:
        held.append(text)
        if len(held) >= _TOGETHER:
            yield separator + ", ".join(held)
            separator, held = ", ", []
    if held:
        yield separator + ", ".join(held)


def _anomalies(scored: Scored) -> list[dict[str, object]]:
    return [
        {
            "start": f"{each.start:%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{each.end:%Y-%m-%dT%H:%M:%SZ}",
            "steps": each.steps,
            "worst": {
                "at": f"{each.facts.at:%Y-%m-%dT%H:%M:%SZ}",
                "value": _plain(each.facts.value),
                "yhat": _plain(each.facts.expected),
                "yhat_lower": _plain(each.facts.lower),
                "yhat_upper": _plain(each.facts.upper),
                "point": _plain(each.facts.point),
                "sustained": _plain(each.facts.sustained),
                "score": _plain(each.excess),
                "baseline": each.facts.baseline,
                "channels": {
                    "seasonal": _plain(each.facts.channels.seasonal),
                    "slow": _plain(each.facts.channels.slow),
                    "range_all": _plain(each.facts.channels.range_all),
                    "range_recent": _plain(each.facts.channels.range_recent),
                },
            },
        }
        for each in anomalies_of(scored)
    ]


def _plain(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
