"""A billing period of a source as the ledger holds it, and what changed when it was imported again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from finops.billed.faults import Found
from finops.billed.model import Dimensions


@dataclass(frozen=True, slots=True, order=True)
class PartitionKey:
    """The unit that is replaced as a whole. `period` is the day on which the billing period starts."""

    source: str
    period: date

    @property
    def period_name(self) -> str:
        """`2026-10` for a month, `2026-10-15` for a period that starts in the middle of one."""
        return f"{self.period:%Y-%m}" if self.period.day == 1 else self.period.isoformat()


@dataclass(frozen=True, slots=True)
class Money:
    """Sums of one currency. `effective_missing` rows have no EffectiveCost: it is missing in `effective`, not 0."""

    currency: str
    billed: Decimal
    effective: Decimal
    rows: int
    effective_missing: int = 0


@dataclass(frozen=True, slots=True)
class ServiceMoney:
    """Money of a service (as the file names it; empty when it names none)."""

    service: str
    currency: str
    billed: Decimal
    effective: Decimal


@dataclass(frozen=True, slots=True)
class Input:
    """A file that went in, as the user would name it."""

    name: str
    size: int
    sha256: str
    rows: int
    version: str


@dataclass(frozen=True, slots=True)
class Partition:
    """What is known about a period without reading its rows.

    `rows` counts rows that count, `quarantined` the others; together they are all that was read. `folder` is where it
    lies, relative to the ledger. `currencies` are those that the source expected. `fingerprint` changes with any byte
    of the inputs and with how they are read; `seen` with what the bucket tells of its objects, empty elsewhere.
    """

    key: PartitionKey
    folder: str
    fingerprint: str
    imported_at: datetime
    rows: int
    quarantined: int
    until: datetime | None
    money: tuple[Money, ...]
    quarantined_money: tuple[Money, ...]
    services: tuple[ServiceMoney, ...]
    inputs: tuple[Input, ...]
    faults: tuple[Found, ...] = ()
    payers: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    seen: str = ""


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """A service's money before and after; what was not there is 0."""

    service: str
    currency: str
    billed_before: Decimal
    billed_after: Decimal
    effective_before: Decimal
    effective_after: Decimal

    @property
    def billed_difference(self) -> Decimal:
        """After less before."""
        return self.billed_after - self.billed_before

    @property
    def effective_difference(self) -> Decimal:
        """After less before."""
        return self.effective_after - self.effective_before


@dataclass(frozen=True, slots=True)
class Restatement:
    """A period that was imported before and has other sums now; only services that changed."""

    key: PartitionKey
    at: datetime
    before: str
    after: str
    changes: tuple[ServiceChange, ...]


class State(Enum):
    """What became of a period."""

    NEW = "new"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Imported:
    """One period's turn. `restatement` is None when no sum changed."""

    partition: Partition
    state: State
    restatement: Restatement | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that the ledger holds.

    `history` has the latest restatements, oldest first; `dimensions` what each source said of them when it was last
    imported.
    """

    generation: int = 0
    partitions: Mapping[PartitionKey, Partition] = field(default_factory=dict)
    history: tuple[Restatement, ...] = ()
    dimensions: Mapping[str, Dimensions] = field(default_factory=dict)

    def of_source(self, source: str) -> Sequence[Partition]:
        """A source's partitions by period."""
        return [self.partitions[key] for key in sorted(self.partitions) if key.source == source]
