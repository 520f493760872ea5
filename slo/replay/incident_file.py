"""Lists of incidents that users write: YAML, JSON or CSV, every mistake told at its place.

A list of mappings (or a CSV file with a header) with `start` and `end` (RFC 3339 with a time zone), and if wanted
`slo`, `service`, `severity` (`page` or `ticket`) and `name`.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Final

from yaml import YAMLError

from controlplane.burn_rate import Urgency
from controlplane.model.source import SourcePosition
from controlplane.problems import Problem, in_order
from controlplane.source_text import SourceText, decode
from controlplane.specfile import SourceFile, did_you_mean
from controlplane.specfile.characters import first_fault
from controlplane.specfile.composing import Composer, Entry, Place, Value
from controlplane.specfile.faults import Fault
from controlplane.specfile.syntax import fault_of
from slo.replay.incidents import Incident

RULE: Final = "incidents"
KEYS: Final = ("start", "end", "slo", "service", "severity", "name")
_TIME_HINT: Final = "write it as in 2026-11-02T07:03:00Z or 2026-11-02T08:03:00+01:00"
_MOST: Final = 100_000  # incidents; more is not a list of incidents


@dataclass(frozen=True, slots=True)
class IncidentFile:
    """The incidents of a file, in order of their starts; to be used only without problems."""

    incidents: tuple[Incident, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """One incident as written, and where each of its values and keys stands."""

    position: SourcePosition
    values: Mapping[str, str | None]
    positions: Mapping[str, SourcePosition]


def read_incidents(file: SourceFile) -> IncidentFile:
    """Read a list of incidents; `.csv` in its path says that it is CSV, all else is YAML, of which JSON is a part.

    Never raises on what the file holds.
    """
    source = SourceText(file.path, decode(file.content))
    problems: list[Problem] = []
    fault = first_fault(source.text, 0, len(source.text))
    if fault is not None:
        return IncidentFile((), (_problem(source, fault),))
    rows = _csv_rows(source, problems) if file.path.lower().endswith(".csv") else _yaml_rows(source, problems)
    incidents = [incident for row in rows if (incident := _incident(row, problems)) is not None]
    return IncidentFile(tuple(sorted(incidents, key=lambda each: each.start)), tuple(in_order(problems)))


def _incident(row: _Row, problems: list[Problem]) -> Incident | None:
    before = len(problems)
    for key in row.values.keys() - set(KEYS):
        meant = did_you_mean(key, KEYS)
        hint = "" if meant else f"known are {', '.join(KEYS)}"
        message = f"unknown key `{key[:60]}`" + (f", did you mean `{meant}`?" if meant else "")
        problems.append(Problem.at(row.positions[key], key[:60], message, hint=hint, rule=RULE))
    start, end = _time(row, "start", problems), _time(row, "end", problems)
    urgency = _urgency(row, problems)
    if start is not None and end is not None and end <= start:
        message = "it must end after it started"
        problems.append(Problem.at(row.positions["end"], "end", message, rule=RULE))
    if start is None or end is None or len(problems) > before:
        return None
    texts = {key: row.values.get(key) or "" for key in ("slo", "service", "name")}
    return Incident(start, end, texts["slo"], texts["service"], urgency, texts["name"])


def _time(row: _Row, key: str, problems: list[Problem]) -> datetime | None:
    text = row.values.get(key)
    if not text:
        position = row.positions.get(key, row.position)
        problems.append(Problem.at(position, key, "required, but missing", hint=_TIME_HINT, rule=RULE))
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        message = "a time without a time zone"
    except (ValueError, OverflowError):
        message = f"not a time: `{text[:60]}`"
    problems.append(Problem.at(row.positions[key], key, message, hint=_TIME_HINT, rule=RULE, length=len(text[:60])))
    return None


def _urgency(row: _Row, problems: list[Problem]) -> Urgency:
    text = row.values.get("severity") or Urgency.PAGE.value
    for urgency in Urgency:
        if urgency.value == text.lower():
            return urgency
    message = f"unknown severity `{text[:60]}`"
    hint = "write page or ticket: who should have been told"
    problems.append(Problem.at(row.positions["severity"], "severity", message, hint=hint, rule=RULE))
    return Urgency.PAGE


# --- YAML and JSON ----------------------------------------------------------------------------------------------------


def _yaml_rows(source: SourceText, problems: list[Problem]) -> Iterator[_Row]:
    try:
        documents = list(Composer(source.text, 0).documents())
    except YAMLError as error:
        problems.append(_problem(source, fault_of(error, source.text, 0)))
        return
    except Fault as fault:
        problems.append(_problem(source, fault))
        return
    for document in documents:
        problems += [_problem(source, fault) for fault in document.faults]
        yield from _rows_in(source, document.value, document.place, problems)


def _rows_in(source: SourceText, value: Value, place: Place, problems: list[Problem]) -> Iterator[_Row]:
    inner = place.inner
    if isinstance(value, dict) and isinstance(inner, dict) and list(value) == ["incidents"]:
        value, place = value["incidents"], inner["incidents"].place
        inner = place.inner
    if not isinstance(value, list) or not isinstance(inner, list) or len(value) > _MOST:
        message = f"expected a list of at most {_MOST:,} incidents, each with start and end"
        problems.append(Problem.at(source.position(place.start), "", message, rule=RULE))
        return
    for number, (item, at) in enumerate(zip(value, inner, strict=True)):
        if not isinstance(item, dict) or not isinstance(at.inner, dict):
            message = "expected a mapping with start and end"
            problems.append(Problem.at(source.position(at.start), f"[{number}]", message, rule=RULE))
            continue
        yield _yaml_row(source, item, at.inner, source.position(at.start), problems)


def _yaml_row(
    source: SourceText,
    item: Mapping[str, Value],
    inner: Mapping[str, Entry],
    position: SourcePosition,
    problems: list[Problem],
) -> _Row:
    values: dict[str, str | None] = {}
    positions = {key: source.position(entry.place.start) for key, entry in inner.items()}
    for key, value in item.items():
        if value is not None and not isinstance(value, str):
            problems.append(Problem.at(positions[key], key[:60], "expected text", rule=RULE))
        values[key] = value if isinstance(value, str) else None
    return _Row(position, values, positions)


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv_rows(source: SourceText, problems: list[Problem]) -> Iterator[_Row]:
    header: list[str] = []
    for line, cells in _cells(source, problems):
        if not any(cell.strip() for cell in cells):
            continue
        position = SourcePosition(source.path, line, 1)
        if not header:
            header = [cell.strip() for cell in cells]
            if len(set(header)) < len(header):
                problems.append(Problem.at(position, "", "two columns have the same name", rule=RULE))
                return
        elif len(cells) > len(header):
            message = f"{len(cells)} values under {len(header)} columns"
            problems.append(Problem.at(position, "", message, hint="quote values that hold a comma", rule=RULE))
        else:
            values = {key: cell.strip() for key, cell in zip(header, cells, strict=False)}
            yield _Row(position, values, dict.fromkeys(header, position))
    if not header:
        message = "nothing in it"
        problems.append(
            Problem(source.path, 1, 1, "", message, hint=f"begin with a header: {','.join(KEYS)}", rule=RULE)
        )


def _cells(source: SourceText, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Lines (from 1) and their cells, until the first that is broken."""
    reader = csv.reader(StringIO(source.text, newline=""), skipinitialspace=True, strict=True)
    last = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = f"not CSV: {error}"
            problems.append(Problem.at(SourcePosition(source.path, last + 1, 1), "", message, rule=RULE))
            return
        yield last + 1, cells
        last = reader.line_num


def _problem(source: SourceText, fault: Fault) -> Problem:
    position = source.position(fault.start)
    return Problem.at(position, fault.field, fault.message, hint=fault.hint, rule=fault.rule)
