"""FOCUS files for tests, and sums of them computed without the ledger's code."""

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from controlplane.model.spend import SpendQuestion, SpendRow
from finops.billed.adapters.duckdb_ledger import open_ledger
from finops.billed.adapters.importer import Importer
from finops.billed.model import CostSource
from finops.billed.outcome import AS_USUAL, Asked, Outcome

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
COLUMNS = (
    "BilledCost", "EffectiveCost", "ListCost", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd",
    "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeClass", "ServiceName", "ProviderName",
    "BillingAccountId", "SubAccountId", "RegionId", "ResourceId", "SkuId", "ConsumedQuantity", "ConsumedUnit",
    "CommitmentDiscountStatus", "Tags",
)  # fmt: skip
USUAL = {
    "BilledCost": "1.5", "EffectiveCost": "1.25", "ListCost": "2", "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-05T03:00:00Z", "ChargePeriodEnd": "2026-10-05T04:00:00Z",
    "ChargeCategory": "Usage", "ServiceName": "Compute", "ProviderName": "AWS", "BillingAccountId": "111",
    "SubAccountId": "222", "RegionId": "eu-west-1", "ResourceId": "i-1", "SkuId": "sku-1", "ConsumedQuantity": "1",
    "ConsumedUnit": "Hours", "Tags": '{"team": "core"}',
}  # fmt: skip


def row(**changes: str) -> dict[str, str]:
    """A right row, with some fields of another value."""
    return {**USUAL, **changes}


def csv_text(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> str:
    """The rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_csv(path: Path, *rows: Mapping[str, str], columns: Sequence[str] = COLUMNS) -> Path:
    """A file with these rows; packed when its name ends in .gz."""
    content = csv_text(rows, columns).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


class Ledger:
    """A ledger in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, path: Path | str, *, name: str = "bills", asked: Asked = AS_USUAL, **changes: object) -> Outcome:
        """Import a file or folder."""
        source = CostSource(name=name, path=str(path), **changes)  # type: ignore[arg-type]
        return Importer(self.folder).run(source, NOW, asked=asked)

    def spend(self, *by: str, where: Mapping[str, tuple[str, ...]] | None = None) -> tuple[SpendRow, ...]:
        """All time, split by these."""
        start, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
        return open_ledger(self.folder).spend(SpendQuestion(start, end, by, where or {})).rows

    def billed(self) -> dict[str, Decimal]:
        """BilledCost by currency."""
        return {each.currency: each.billed for each in self.spend()}

    def bytes(self) -> dict[str, bytes]:
        """What readers may see: every file but the lock."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.name != "lock")
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}


def faults(outcome: Outcome) -> dict[tuple[str, str], tuple[int, str]]:
    """Rows and what was done, by fault and column."""
    return {
        (each.fault, each.column): (each.rows, each.action.value)
        for imported in outcome.imported
        for each in imported.partition.faults
    }
