"""Checks an exported file: against its manifest, against itself, and against what the store has kept."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from controlplane.model import exact
from exporters.usage.closing import Closed
from exporters.usage.export import COLUMNS, FORMAT, export_of
from exporters.usage.periods import is_period

_SHOWN: Final = 20
_CONTROLS: Final = ("billed", "free", "adjusted")
_CONTROLLED: Final = ("billed", "free", "quantity")  # columns of lines that add up to these


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found; `wrong` is empty when everything agrees."""

    period: str
    rows: int
    sha256: str
    wrong: tuple[str, ...]


def verified(text: bytes, manifest: bytes, closed: Closed | None) -> Verified:
    """Compare a file with its manifest and, when `closed` is given, with the month as the store has it."""
    digest = hashlib.sha256(text).hexdigest()
    try:
        said = json.loads(manifest)
    except (ValueError, RecursionError) as error:
        return Verified("", 0, digest, (f"the manifest is not JSON: {error}",))
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        return Verified("", 0, digest, (f"the manifest is not of the format {FORMAT}",))
    rows, unreadable = _rows(text)
    wrong = [*unreadable, *_against_manifest(text, digest, rows, said)]
    if not unreadable:
        wrong += _against_itself(rows, said)
    if not wrong:
        wrong += _against_controls(rows, said["controls"])
    if closed is not None:
        wrong += _against_store(text, manifest, closed)
    return Verified(str(said.get("period", "")), len(rows), digest, tuple(wrong[:_SHOWN]))


def named_period(manifest: bytes) -> str:
    """The month that a manifest says it is of; empty when it says none that could be."""
    try:
        said = json.loads(manifest)
    except (ValueError, RecursionError):
        return ""
    period = said.get("period") if isinstance(said, dict) else None
    return period if isinstance(period, str) and is_period(period) else ""


def _rows(text: bytes) -> tuple[list[dict[str, str]], list[str]]:
    try:
        reader = csv.reader(io.StringIO(text.decode(), newline=""), strict=True)
        header, *lines = list(reader) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        return [], [f"the file is not the CSV that was written: {error}"]
    if tuple(header) != COLUMNS:
        return [], [f"line 1: the columns are {', '.join(header)[:200]}, not {', '.join(COLUMNS)}"]
    short = [number for number, line in enumerate(lines, start=2) if len(line) != len(COLUMNS)]
    if short:
        return [], [f"line {number}: has not {len(COLUMNS)} columns" for number in short[:_SHOWN]]
    return [dict(zip(COLUMNS, line, strict=True)) for line in lines], []


def _against_manifest(
    text: bytes, digest: str, rows: Sequence[Mapping[str, str]], said: Mapping[str, Any]
) -> Iterator[str]:
    found = {"sha256": digest, "bytes": len(text), "rows": len(rows)}
    for name, value in found.items():
        if said.get(name) != value:
            yield f"{name}: the file has {value}, the manifest says {said.get(name)}"


def _against_itself(rows: Sequence[Mapping[str, str]], said: Mapping[str, Any]) -> Iterator[str]:
    """quantity = free + billed on every line, and the totals are the sums of the rounded amounts."""
    totals: dict[str, Decimal] = {}
    for number, row in enumerate(rows, start=2):
        try:
            quantity, free, billed, amount = (Decimal(row[name]) for name in ("quantity", "free", "billed", "amount"))
        except InvalidOperation:
            yield f"line {number}: holds what is not a number"
            continue
        if quantity != exact.add(free, billed):
            yield f"line {number}: quantity {row['quantity']} is not free {row['free']} + billed {row['billed']}"
        measure = row["currency"] or f"unit {row['unit']}"
        totals[measure] = exact.add(totals.get(measure, exact.ZERO), amount)
    found = {name: format(total, "f") for name, total in sorted(totals.items())}
    if found != said.get("totals"):
        yield f"totals: the lines add up to {found}, the manifest says {said.get('totals')}"
    controls = said.get("controls")
    if not isinstance(controls, list):
        yield "controls: there are none"
        return
    for control in controls:
        yield from _broken(control)


def _broken(control: object) -> Iterator[str]:
    try:
        assert isinstance(control, Mapping)
        accepted, *parts = (
            Decimal(control[name]) for name in ("accepted", "billed", "free", "quarantined", "adjusted")
        )  # fmt: skip
        who = f"{control['tenant']} {control['meter']}"
    except (AssertionError, KeyError, InvalidOperation, TypeError):
        yield "controls: a row is not as it was written"
        return
    if accepted != exact.total(parts):
        yield f"controls: {who}: accepted {accepted} is not billed + free + quarantined + adjusted"


def _against_controls(rows: Sequence[Mapping[str, str]], controls: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """What the lines of each tenant and meter bill, leave free and adjust is what its control totals say."""
    found: dict[tuple[str, str], list[Decimal]] = {}
    for row in rows:
        if row["kind"] != "credit":
            sums = found.setdefault((row["tenant"], row["item"]), [exact.ZERO] * 3)
            places = (2,) if row["kind"] == "adjustment" else (0, 1)
            for place in places:
                sums[place] = exact.add(sums[place], Decimal(row[_CONTROLLED[place]]))
    told = {(each["tenant"], each["meter"]): [Decimal(each[name]) for name in _CONTROLS] for each in controls}
    for who in sorted(found.keys() | told.keys()):
        lines, control = found.get(who, [exact.ZERO] * 3), told.get(who, [exact.ZERO] * 3)
        for name, ours, theirs in zip(_CONTROLS, lines, control, strict=True):
            if ours != theirs:
                yield f"controls: {' '.join(who)}: {name} {theirs}, its lines say {ours}"


def _against_store(text: bytes, manifest: bytes, closed: Closed) -> Iterator[str]:
    export = export_of(closed.period, closed.lines, closed.controls)
    if export.csv != text:
        ours, theirs = export.csv.splitlines(), text.splitlines()
        number = next((n for n, (a, b) in enumerate(zip(ours, theirs, strict=False), start=1) if a != b), None)
        where = f"from line {number} on" if number else f"in the number of lines: {len(theirs)}, not {len(ours)}"
        yield f"the store's month {closed.period} differs {where}"
    elif export.manifest != manifest:
        yield f"the manifest differs from the one of the store's month {closed.period}"
