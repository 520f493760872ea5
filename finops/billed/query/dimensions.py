"""What a question may be split by, and where the value of each dimension stands in the ledger."""

from collections.abc import Mapping, Sequence
from typing import Final

from controlplane.model.spend import DAY, HOUR, MONTH, TIME_DIMENSIONS
from controlplane.ports import Permanent
from finops.billed import columns as focus
from finops.billed.model import CostSource, Dimensions, Term
from finops.billed.normalising.rows import OUTPUT

TAG_PREFIX: Final = "tag:"
MAX_NAME: Final = 256
DEFAULTS: Final[Dimensions] = {
    "service": (Term(column=focus.SERVICE),),
    "provider": (Term(column=focus.PROVIDER),),
    "account": (Term(column=focus.ACCOUNT), Term(column=focus.BILLING_ACCOUNT)),
    "region": (Term(column=focus.REGION),),
    "resource": (Term(column=focus.RESOURCE),),
    "sku": (Term(column=focus.SKU),),
    "category": (Term(column=focus.CATEGORY),),
    "commitment": (Term(column=focus.COMMITMENT_STATUS),),
}
"""Where a dimension stands when its source says nothing else; any other name is the tag of that name."""
DETAILED: Final = (focus.RESOURCE, focus.SKU)
"""Columns that only single charges have; the daily sums have all others."""
COLUMNS: Final = (
    focus.SERVICE, focus.SERVICE_CATEGORY, focus.PROVIDER, focus.BILLING_ACCOUNT, focus.ACCOUNT, focus.ACCOUNT_NAME,
    focus.REGION, focus.RESOURCE, focus.SKU, focus.CATEGORY, focus.CLASS, focus.COMMITMENT_STATUS, focus.COMMITMENT,
    focus.UNIT,
)  # fmt: skip
"""FOCUS columns that a dimension may be made of."""

_TIMES: Final = {HOUR: "hour", DAY: "day", MONTH: "month"}


def dimensions_of(sources: Sequence[CostSource]) -> Mapping[str, Dimensions]:
    """What each source says of its dimensions, by the source's name."""
    return {source.name: source.dimensions for source in sources if source.dimensions}


def terms_of(name: str, declared: Dimensions) -> tuple[Term, ...]:
    """Where a dimension's value may stand. Raises `Permanent` for what is no name."""
    if not name.strip() or len(name) > MAX_NAME or name in ("currency", TAG_PREFIX):
        raise Permanent(f"`{name[:80]}` is nothing that a bill can be split by; tag:NAME splits by a tag")
    if name in declared:
        return declared[name]
    if name in DEFAULTS:
        return DEFAULTS[name]
    key = name.removeprefix(TAG_PREFIX).strip().lower()
    return (Term(tag=key),)


def is_time(name: str) -> bool:
    """Whether it cuts time."""
    return name in TIME_DIMENSIONS


def time_part(name: str, moment: str) -> str:
    """SQL for the begin of the part of time in which a moment lies."""
    return f"date_trunc('{_TIMES[name]}', {moment})"


def ledger_column(column: str) -> str:
    """The ledger's name of a FOCUS column."""
    return OUTPUT[column]
