"""The month as a CSV file and a manifest: the same bytes every time, on every machine."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from controlplane.model import exact
from controlplane.model.event import JSON
from controlplane.model.usage import InvoiceLine

FORMAT: Final = "flyball-usage-manifest/1"
COLUMNS: Final = (
    "booked",
    "kind",
    "tenant",
    "item",
    "period",
    "unit",
    "quantity",
    "free",
    "billed",
    "price",
    "per",
    "currency",
    "amount",
    "note",
)
_KINDS: Final = ("usage", "adjustment", "credit")  # the order of lines of one tenant


@dataclass(frozen=True, slots=True)
class Export:
    """Two files, by name."""

    csv_name: str
    csv: bytes
    sha256: str
    manifest_name: str
    manifest: bytes


def export_of(period: str, lines: Sequence[InvoiceLine], controls: Sequence[JSON]) -> Export:
    """The files of a closed month. `controls` are its control totals as data."""
    text = csv_of(lines)
    name, digest = f"usage-{period}.csv", hashlib.sha256(text).hexdigest()
    manifest: dict[str, JSON] = {
        "format": FORMAT,
        "period": period,
        "file": name,
        "bytes": len(text),
        "sha256": digest,
        "rows": len(lines),
        "columns": list(COLUMNS),
        "totals": totals_of(lines),
        "controls": list(controls),
    }
    return Export(name, text, digest, manifest_name(name), _as_json(manifest))


def manifest_name(csv_name: str) -> str:
    """Beside `usage-2026-11.csv`."""
    return f"{csv_name.removesuffix('.csv')}.manifest.json"


def csv_of(lines: Sequence[InvoiceLine]) -> bytes:
    """A header and the lines by tenant, kind, item and period; UTF-8, LF, quotes only where they are needed."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(line) for line in sorted(lines, key=_order))
    return out.getvalue().encode()


def totals_of(lines: Sequence[InvoiceLine]) -> dict[str, JSON]:
    """What the lines add up to: the sum of their rounded amounts, by currency, or by unit where there is no price."""
    keys = sorted({_measure(line) for line in lines})
    return {key: format(exact.total(line.amount for line in lines if _measure(line) == key), "f") for key in keys}


def _measure(line: InvoiceLine) -> str:
    return line.currency or f"unit {line.unit}"


def _order(line: InvoiceLine) -> tuple[str, int, str, str]:
    return line.tenant, _KINDS.index(line.kind.value), line.item, line.period


def _row(line: InvoiceLine) -> tuple[str, ...]:
    price = line.terms.get("price")
    named: Mapping[str, JSON] = price if isinstance(price, Mapping) else {}
    return (
        line.booked,
        line.kind.value,
        line.tenant,
        line.item,
        line.period,
        line.unit,
        exact.plain(line.quantity),
        exact.plain(line.free),
        exact.plain(line.billed),
        str(named.get("amount", "")),
        str(named.get("per", "")),
        line.currency,
        format(line.amount, "f"),
        line.note,
    )


def _as_json(value: Mapping[str, JSON]) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
