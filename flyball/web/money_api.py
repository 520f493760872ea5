"""Money as JSON: amounts are decimal strings, ratios numbers, null where there is no data."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from controlplane.model.slo import CalendarWindow
from flyball.web import pages
from flyball.web.api import JSON
from flyball.web.money_gathering import MoneyScene
from flyball.web.money_history import BudgetHistory
from flyball.web.money_rows import BudgetRow, UnitCostRow
from flyball.web.money_status import Points, exact
from flyball.web.remembered import Reading


def freshness(scene: MoneyScene) -> dict[str, JSON]:
    """When the figures were taken, why they are not fresh if they are not, and what they rest on."""
    taken, grounds = scene.measured.taken_at, scene.grounds
    return {
        "measured_at": _time(taken),
        "failure": scene.measured.failure or None,
        "ledgers": {
            "live_until": _time(grounds.live_until),
            "silent_prices": list(grounds.silent),
            "unpriced": [{"usage": name, "quantity": value} for name, value in grounds.unpriced],
            "corrections": [
                {"service": service, "currency": currency, "ratio": ratio}
                for service, currency, ratio in grounds.corrections
            ],
            "sources": [
                {"name": it.name, "billed_until": _time(it.until), "rows": it.rows, "faults": dict(it.faults)}
                for it in grounds.sources
            ],
        },
    }


def budget(row: BudgetRow) -> dict[str, JSON]:
    """One budget. Money is in `currency`, as decimal strings; durations are in seconds."""
    it, measured, gone = row.budget, row.measured, row.gone_in
    calendar = isinstance(it.window, CalendarWindow)
    return {
        "name": it.name,
        "title": row.title,
        "owner": it.owner or None,
        "scope": {label: list(values) for label, values in it.scope},
        "currency": it.currency,
        "amount": _money(it.amount),
        "window": row.window_words,
        "window_start": pages.iso(row.period[0]),
        "window_end": pages.iso(row.period[1]) if calendar else None,
        "standing": row.standing.name.lower(),
        "summary": row.sentence,
        "spent": _money(measured.spent),
        "left": _money(row.left),
        "spent_ratio": measured.spent_ratio,
        "pace_ratio": measured.pace_ratio,
        "window_coverage_ratio": measured.coverage,
        "hourly_spend": _money(measured.hourly),
        "expected_hourly_spend": _money(measured.expected_hourly),
        "burn_rates": dict(measured.burn),
        "seconds_to_exhaustion": None if gone is None else gone.total_seconds(),
        "forecast": _forecast(row),
        "forecast_missing": measured.no_outlook or None,
        "other_currencies": list(measured.others),
        "firing": list(row.firing),
        "source": str(it.source),
    }


def history(reading: Reading[BudgetHistory]) -> Mapping[str, JSON]:
    """The course of the window: pairs of time and amount (decimal string), and of time and share."""
    if reading.value is None:
        return {"history": None}
    known = reading.value
    spent: list[JSON] = [[pages.iso(at), _money(exact(value))] for at, value in known.spent]
    told: dict[str, JSON] = {
        "step_seconds": int(known.step.total_seconds()),
        "spent": spent,
        "pace_ratio": _points(known.pace),
        "alerts": [
            {"alert": it.alert, "severity": it.severity, "start": pages.iso(it.start), "end": pages.iso(it.end)}
            for it in known.fired
        ],
    }
    return {"history": told}


def unit_cost(row: UnitCostRow) -> dict[str, JSON]:
    """One unit cost with its parts; money for `per` `unit`, as decimal strings."""
    declared = row.declared
    return {
        "name": row.name,
        "title": row.title,
        "currency": row.currency,
        "per": _money(declared.per) if declared else None,
        "unit": declared.units.what if declared else None,
        "target": _money(row.target),
        "cost": _money(row.worst.cost) if row.worst else None,
        "of_target_ratio": row.ratio,
        "standing": row.word.replace(" ", "_"),
        "parts": [{"labels": dict(it.part), "cost": _money(it.cost)} for it in row.parts],
        "source": str(declared.source) if declared else None,
    }


def _forecast(row: BudgetRow) -> JSON:
    ahead, measured = row.measured.outlook, row.measured
    if ahead is None:
        return None
    return {
        "low": _money(ahead.low),
        "middle": _money(ahead.middle),
        "high": _money(ahead.high),
        "made_at": _time(measured.outlook_at),
        "mean_error_ratio": measured.past_error,
        "interval_coverage_ratio": measured.past_coverage,
    }


def _points(points: Points) -> list[JSON]:
    return [[pages.iso(at), value] for at, value in points]


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _time(at: datetime | None) -> str | None:
    return pages.iso(at) if at else None
