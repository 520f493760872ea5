"""What people and programs are shown of usage. Pure data and text; decimals are texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Final

import orjson

from controlplane.model import exact
from controlplane.model.event import JSON
from controlplane.model.usage import AsideEvent, LineKind, Outcome, Period, PeriodState, Receipt
from controlplane.ports import Store
from exporters.cloudevents.faults import Fault
from exporters.usage.closing import Closed
from exporters.usage.export import totals_of
from exporters.usage.periods import GRACE, due_state, period_of
from exporters.usage.quotas import QuotaUse, current
from exporters.usage.rating import rounded
from exporters.usage.terms import Rounding, UsageTerms

ASIDE_COLUMNS: Final = ("reason", "tenant", "source", "id", "type", "time", "received", "seen")
CREDIT_COLUMNS: Final = (
    "tenant",
    "contract",
    "period",
    "verdict",
    "achieved",
    "amount",
    "currency",
    "downshift",
    "reason",
)
_RATIO_DECIMALS: Final = 4
Rows = Sequence[Mapping[str, str]]


def receipt_data(receipt: Receipt | None, faults: Sequence[Fault], refused: int) -> dict[str, JSON]:
    """A delivery's outcome; counts are 0 where nothing was counted."""
    found = receipt or Receipt()
    told: list[JSON] = [{"place": each.place, "field": each.field, "error": each.reason} for each in faults]
    return {
        "accepted": found.accepted,
        "duplicates": found.duplicates,
        "conflicts": found.conflicts,
        "unknown": found.unknown,
        "late": found.late,
        "refused": refused,
        "faults": told,
    }


def receipt_text(receipt: Receipt, refused: int) -> str:
    """The same in a line, and what to do about what was set aside."""
    parts = [f"{receipt.accepted:,} events counted", f"{receipt.duplicates:,} known already"]
    if receipt.late:
        parts.append(f"{receipt.late:,} of them late: adjustments of a closed month")
    if receipt.conflicts or receipt.unknown:
        parts.append(
            f"{receipt.conflicts:,} contradictions and {receipt.unknown:,} unknown ones set aside "
            "(flyball usage conflicts)"
        )
    if refused:
        parts.append(f"{refused:,} malformed")
    return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Status:
    """How metering stands."""

    outcomes: Mapping[Outcome, int]
    periods: tuple[Period, ...]
    quotas: tuple[QuotaUse, ...]


def status_of(store: Store, terms: UsageTerms, now: datetime) -> Status:
    """Read it from the store."""
    meters = sorted({quota.meter for quota in terms.quotas})
    with store.transaction(read_only=True) as transaction:
        totals = transaction.usage.totals(period=period_of(now), meters=meters) if meters else []
        outcomes, periods = transaction.usage.outcomes(), transaction.usage.periods()
    moved = tuple(_by_now(period, now) for period in periods)
    return Status(outcomes, moved, tuple(current(terms.quotas, totals, now)))


def _by_now(period: Period, now: datetime) -> Period:
    """A month that is over is not open any more, even where no `flyball up` was there to say so."""
    over = period.state is PeriodState.OPEN and due_state(period.name, now, GRACE) is not PeriodState.OPEN
    return replace(period, state=PeriodState.GRACE) if over else period


def status_data(status: Status) -> dict[str, JSON]:
    """As JSON."""
    return {
        "events": {outcome.value: count for outcome, count in status.outcomes.items()},
        "periods": [
            {
                "period": period.name,
                "state": period.state.value,
                "closed_at": f"{period.closed_at:%Y-%m-%dT%H:%M:%SZ}" if period.closed_at else None,
                "sha256": str((period.controls or {}).get("sha256", "")),
            }
            for period in status.periods
        ],
        "quotas": [
            {
                "quota": use.quota.name,
                "tenant": use.tenant,
                "period": use.period,
                "used": exact.plain(use.used),
                "limit": exact.plain(use.quota.limit),
                "ratio": _ratio(use.ratio),
            }
            for use in status.quotas
        ],
    }


def status_text(status: Status) -> str:
    """As tables."""
    parts = ["  ".join(f"{outcome.value} {count:,}" for outcome, count in status.outcomes.items())]
    rows = [
        (period.name, period.state.value, f"{period.closed_at:%Y-%m-%d %H:%M} UTC" if period.closed_at else "")
        for period in status.periods
    ]
    parts.append(_table(("month", "state", "closed"), rows) or "No usage yet: flyball usage ingest FILE")
    uses = sorted(status.quotas, key=lambda use: (-use.ratio, use.quota.name, use.tenant))
    quota_rows = [
        (use.quota.name, use.tenant, use.period, f"{exact.plain(use.used)} of {exact.plain(use.quota.limit)}",
         f"{exact.plain(rounded(use.ratio * 100, 1, Rounding.DOWN))} %")
        for use in uses
    ]  # fmt: skip
    if quota_rows:
        parts.append(_table(("quota", "tenant", "period", "used", "share"), quota_rows))
    return "\n\n".join(parts)


def closed_data(closed: Closed) -> dict[str, JSON]:
    """A closed month as JSON."""
    return {
        "period": closed.period,
        "already_closed": closed.already,
        "lines": len(closed.lines),
        "totals": totals_of(closed.lines),
        "controls": list(closed.controls),
        "credits": list(closed.credits),
    }


def closed_text(closed: Closed) -> str:
    """The same in a few lines."""
    counts = {kind: sum(line.kind is kind for line in closed.lines) for kind in LineKind}
    said = f"{closed.period} was closed already" if closed.already else f"{closed.period} is closed"
    text = [
        f"{said}: {counts[LineKind.USAGE]:,} usage lines, {counts[LineKind.ADJUSTMENT]:,} adjustments, "
        f"{counts[LineKind.CREDIT]:,} credits; control totals hold"
    ]
    text += [f"  {measure}  {total}" for measure, total in totals_of(closed.lines).items()]
    missing = [each for each in closed.credits if isinstance(each, Mapping) and each.get("verdict") == "no_data"]
    if missing:
        text.append(f"{len(missing):,} credits are not decided for want of data: flyball usage credits says which")
    return "\n".join(text)


def aside_rows(events: Sequence[AsideEvent]) -> list[dict[str, str]]:
    """Events set aside, each by its name."""
    return [
        {
            "reason": each.reason.value,
            "tenant": each.event.tenant,
            "source": each.event.source,
            "id": each.event.id,
            "type": _type_in(each.event.payload),
            "time": f"{each.event.time:%Y-%m-%dT%H:%M:%SZ}",
            "received": f"{each.received_at:%Y-%m-%dT%H:%M:%SZ}",
            "seen": str(each.seen),
        }
        for each in events
    ]


def aside_text(rows: Rows) -> str:
    """A table, or that there is nothing."""
    cells = [tuple(row[column] for column in ASIDE_COLUMNS) for row in rows]
    return _table(ASIDE_COLUMNS, cells) or "Nothing is set aside."


def credit_rows(decisions: Sequence[JSON]) -> list[dict[str, str]]:
    """Decisions, each by its name."""
    rows = []
    for each in decisions:
        if isinstance(each, Mapping):
            row = {column: str(each.get(column) or "") for column in CREDIT_COLUMNS}
            minutes = each.get("downshift_minutes")
            own = " (its cause)" if each.get("own_downshift") else ""
            rows.append(row | {"downshift": f"{minutes} min{own}" if minutes else ""})
    return rows


def credit_text(rows: Rows, *, is_closed: bool) -> str:
    """A table, or that no contract asks for any."""
    if not rows:
        return "No ServiceContract is declared." if not is_closed else "No contract was in force."
    columns = [column for column in CREDIT_COLUMNS if column != "period"]
    table = _table(columns, [tuple(row[column] for column in columns) for row in rows])
    return table if is_closed else f"{table}\n\nNothing of this is booked: the month is not closed."


def _type_in(payload: bytes) -> str:
    """The type of an event, from the bytes that its digest was made of."""
    try:
        found = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return ""
    return str(found[0]) if isinstance(found, list) and found else ""


def _ratio(value: Fraction) -> str:
    return exact.plain(rounded(value, _RATIO_DECIMALS, Rounding.DOWN))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    widths = [max(len(row[at]) for row in (header, *rows)) for at in range(len(header))]
    lines = ["  ".join(text.ljust(wide) for text, wide in zip(row, widths, strict=True)) for row in (header, *rows)]
    return "\n".join(line.rstrip() for line in lines)
