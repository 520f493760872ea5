"""Invoice lines as rows."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from controlplane.model.exact import plain
from controlplane.model.usage import InvoiceLine, LineKind


def row_of(line: InvoiceLine) -> dict[str, Any]:
    """The row of a line. Amounts keep the zeros that they were rounded to."""
    return {
        "booked": line.booked,
        "kind": line.kind.value,
        "tenant": line.tenant,
        "item": line.item,
        "period": line.period,
        "unit": line.unit,
        "quantity": plain(line.quantity),
        "free": plain(line.free),
        "billed": plain(line.billed),
        "currency": line.currency,
        "amount": format(line.amount, "f"),
        "terms": dict(line.terms),
        "note": line.note,
    }


def line_of(row: Row[Any]) -> InvoiceLine:
    """The line that a row keeps."""
    return InvoiceLine(
        booked=row.booked,
        kind=LineKind(row.kind),
        tenant=row.tenant,
        item=row.item,
        period=row.period,
        unit=row.unit,
        quantity=Decimal(row.quantity),
        free=Decimal(row.free),
        billed=Decimal(row.billed),
        currency=row.currency,
        amount=Decimal(row.amount),
        terms=row.terms,
        note=row.note,
    )
