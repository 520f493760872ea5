"""The data behind a percentage, for who wants to count again: JSON with everything, CSV with the days."""

import csv
import io
from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from controlplane.model.public_status import ComponentStatus, PublicComponent, PublicSnapshot, Uptime, UptimeDay
from synthetics.status_page.rendering import names, uptime_account
from synthetics.status_page.rendering.catalogue import plain
from synthetics.status_page.rendering.statuspage_json import encoded, stamp

_RATIO_PLACES: Final = Decimal("0.000000001")
_MEASURED: Final = tuple(each for each in ComponentStatus if each is not ComponentStatus.UNKNOWN)


def files(snapshot: PublicSnapshot) -> Iterator[tuple[str, bytes]]:
    """Two for each component that has an uptime."""
    for component in snapshot.components:
        if component.uptime is not None:
            yield names.uptime_data(component.id, "json"), _json(snapshot, component, component.uptime)
            yield names.uptime_data(component.id, "csv"), _csv(component.uptime)


def _json(snapshot: PublicSnapshot, component: PublicComponent, uptime: Uptime) -> bytes:
    sums = uptime_account.account(uptime)
    return encoded({
        "component": {"id": component.id, "name": component.name},
        "page": names.absolute(snapshot.page.url, names.uptime_page(component.id)),
        "counted_until": stamp(snapshot.at),
        "time_zone": snapshot.page.time_zone,
        "ratio": _ratio(uptime.ratio),
        "formula": uptime.formula,
        "weights": {status.value: str(plain(weight)) for status, weight in uptime.weights.items()},
        "seconds": {
            "counted": sums.counted,
            "down": str(plain(sums.down)),
            "excluded": sums.excluded,
            "unmeasured": sums.unmeasured,
            **{each.status.value: each.seconds for each in sums.sums},
        },
        "corrections": [
            {"start": stamp(it.start), "end": stamp(it.end), "status": it.status.value, "reason": it.reason,
             "declared_at": stamp(it.declared_at)}
            for it in uptime.corrections
        ],
        "spans": [
            {"start": stamp(it.start), "end": stamp(it.end), "status": it.status.value,
             "excluded": it.is_excluded, "corrected": it.is_corrected}
            for it in uptime.spans
        ],
        "days": [
            {"day": f"{it.day}", "length_seconds": it.length_seconds, "ratio": _ratio(it.ratio),
             "worst": it.worst.value if it.worst else None,
             "seconds": {status.value: it.seconds.get(status, 0) for status in _MEASURED},
             "excluded_seconds": it.excluded_seconds, "unmeasured_seconds": _unmeasured(it),
             "corrected_seconds": it.corrected_seconds}
            for it in uptime.days
        ],
    })  # fmt: skip


def _csv(uptime: Uptime) -> bytes:
    """Numbers, dates and our own words only, so that no spreadsheet takes a cell for a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([
        "day", "length_seconds", *(f"{status.value}_seconds" for status in _MEASURED),
        "excluded_seconds", "unmeasured_seconds", "corrected_seconds", "ratio", "worst",
    ])  # fmt: skip
    for it in uptime.days:
        writer.writerow([
            f"{it.day}", it.length_seconds, *(it.seconds.get(status, 0) for status in _MEASURED),
            it.excluded_seconds, _unmeasured(it), it.corrected_seconds, _ratio(it.ratio) or "",
            it.worst.value if it.worst else "",
        ])  # fmt: skip
    return text.getvalue().encode()


def _unmeasured(day: UptimeDay) -> int:
    return day.unmeasured_seconds + day.seconds.get(ComponentStatus.UNKNOWN, 0)


def _ratio(ratio: Decimal | None) -> str | None:
    return None if ratio is None else f"{plain(ratio.quantize(_RATIO_PLACES, rounding=ROUND_FLOOR))}"
