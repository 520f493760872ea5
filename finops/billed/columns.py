"""The columns of FOCUS cost and usage files that we read, by every version's name.

Source: FOCUS specification 1.0–1.4 (focus.finops.org), column library. 1.3 replaced ProviderName by ServiceProviderName
and HostProviderName; versions are told apart by the columns that each added.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from controlplane.specfile import did_you_mean

BILLED: Final = "BilledCost"
EFFECTIVE: Final = "EffectiveCost"
LIST: Final = "ListCost"
CONTRACTED: Final = "ContractedCost"
CURRENCY: Final = "BillingCurrency"
PERIOD: Final = "BillingPeriodStart"
START: Final = "ChargePeriodStart"
END: Final = "ChargePeriodEnd"
CATEGORY: Final = "ChargeCategory"
CLASS: Final = "ChargeClass"
FREQUENCY: Final = "ChargeFrequency"
PRICING_CATEGORY: Final = "PricingCategory"
COMMITMENT_STATUS: Final = "CommitmentDiscountStatus"
COMMITMENT_CATEGORY: Final = "CommitmentDiscountCategory"
COMMITMENT: Final = "CommitmentDiscountId"
SERVICE: Final = "ServiceName"
SERVICE_CATEGORY: Final = "ServiceCategory"
PROVIDER: Final = "ProviderName"
ACCOUNT: Final = "SubAccountId"
ACCOUNT_NAME: Final = "SubAccountName"
BILLING_ACCOUNT: Final = "BillingAccountId"
REGION: Final = "RegionId"
RESOURCE: Final = "ResourceId"
SKU: Final = "SkuId"
QUANTITY: Final = "ConsumedQuantity"
UNIT: Final = "ConsumedUnit"
TAGS: Final = "Tags"

COSTS: Final = (BILLED, EFFECTIVE, LIST, CONTRACTED)
TIMES: Final = (PERIOD, START, END)
REQUIRED: Final = (BILLED, EFFECTIVE, CURRENCY, PERIOD, START, END, CATEGORY, SERVICE)
"""Without these a file is no cost and usage file; all of them are mandatory in FOCUS 1.0–1.4."""
TEXTS: Final = (
    SERVICE, SERVICE_CATEGORY, PROVIDER, BILLING_ACCOUNT, ACCOUNT, ACCOUNT_NAME, REGION, RESOURCE, SKU, COMMITMENT,
    UNIT,
)  # fmt: skip
"""What the ledger keeps as it is written."""

ENUMS: Final[Mapping[str, tuple[str, ...]]] = {
    CATEGORY: ("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    CLASS: ("Correction",),
    COMMITMENT_STATUS: ("Used", "Unused"),
    COMMITMENT_CATEGORY: ("Spend", "Usage"),
    FREQUENCY: ("One-Time", "Recurring", "Usage-Based"),
    PRICING_CATEGORY: ("Standard", "Dynamic", "Committed", "Other"),
}
"""Allowed values, as FOCUS spells them."""

_SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    PROVIDER: ("ServiceProviderName", "ProviderName", "Provider"),
    TAGS: ("Tags", "x_Tags", "x_Labels"),
}
"""Names of the same thing, the preferred one first; a column that is not named here has one name."""

_MARKS: Final = (
    ("1.4", ("ServiceProviderName", "InvoiceDetailId")),
    ("1.3", ("ServiceProviderName",)),
    ("1.2", ("InvoiceId",)),
    ("1.2", ("BillingAccountType",)),
    ("1.2", ("PricingCurrency",)),
    ("1.1", ("CapacityReservationId",)),
    ("1.1", ("ServiceSubcategory",)),
    ("1.1", ("SkuMeter",)),
    ("1.0", ("ProviderName",)),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its name there, its DuckDB type, and its place, counted from 1."""

    name: str
    type: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a file that we read, by their FOCUS names (those of version 1.0)."""

    columns: Mapping[str, Column]
    version: str

    def get(self, name: str) -> Column | None:
        """The column, None when the file has none of that name."""
        return self.columns.get(name)


def version_of(names: Collection[str]) -> str:
    """The newest FOCUS version whose columns are there, such as `1.2`; `1.0` when nothing tells."""
    lower = {name.lower() for name in names}
    return next((version for version, marks in _MARKS if all(mark.lower() in lower for mark in marks)), "1.0")


def schema_of(columns: Sequence[tuple[str, str]]) -> Schema:
    """The columns that we know among (name, type), letter case and surrounding spaces aside."""
    by_lower = {name.strip().lower(): Column(name, type_, place) for place, (name, type_) in enumerate(columns, 1)}
    known = {}
    for name in (*COSTS, *TIMES, CURRENCY, *ENUMS, *TEXTS, QUANTITY, TAGS):
        for spelling in _SYNONYMS.get(name, (name,)):
            if spelling.lower() in by_lower:
                known[name] = by_lower[spelling.lower()]
                break
    return Schema(known, version_of([name.strip() for name, _ in columns]))


def missing_in(schema: Schema, names: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Required columns that a file lacks, each with a column of the file that may have been meant."""
    unused = [name for name in names if name not in {column.name for column in schema.columns.values()}]
    for name in REQUIRED:
        if name not in schema.columns:
            yield name, did_you_mean(name, unused)


def duplicates_in(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Places (from 1) and names of columns whose name stood there before, letter case and spaces aside."""
    seen: set[str] = set()
    for place, name in enumerate(names, 1):
        if name.strip().lower() in seen:
            yield place, name
        seen.add(name.strip().lower())
