"""A window and how its money is expected to spread, and the weighted time of whole weeks as PromQL."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import number, window_name
from controlplane.calendar.periods import unix
from controlplane.calendar.tables import calendar_name
from controlplane.model.budget import Pace
from controlplane.model.slo import CalendarWindow, Window

DAY_SECONDS: Final = 86_400
_WEEK: Final = 7 * DAY_SECONDS
_ANCHOR: Final = date(2019, 12, 30)  # a Monday before the tables of calendars begin
_ANCHOR_SECONDS: Final = unix(datetime(_ANCHOR.year, _ANCHOR.month, _ANCHOR.day, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class WindowPace:
    """A window and the pace of spending in it; `name` is its label `pace`."""

    window: Window
    pace: Pace

    @property
    def name(self) -> str:
        """Readable, and different for whatever is paced differently."""
        window = self.window
        of = calendar_name(window) if isinstance(window, CalendarWindow) else window_name(window)
        if self.pace.is_even:
            return f"{of} even"
        days = "-".join(number(weight) for weight in self.pace.weekdays)
        end = f" last {self.pace.month_end_days} x{number(self.pace.month_end)}" if self.pace.month_end_days else ""
        return f"{of} {days}{end} {self.pace.time_zone}"


def weeks(wall: str, pace: Pace) -> str:
    """PromQL: weighted time from a fixed Monday up to what clocks on the wall show; months' ends are no matter here."""
    since = f"({wall} - {_ANCHOR_SECONDS})"
    into = f"{since} % {_WEEK}"
    whole = number(sum(pace.weekdays, Decimal(0)) * DAY_SECONDS)
    days = [
        f"{number(weight)} * clamp({into} - {place * DAY_SECONDS}, 0, {DAY_SECONDS})"
        for place, weight in enumerate(pace.weekdays)
        if weight
    ]
    return "\n+ ".join([f"{whole} * floor({since} / {_WEEK})", *days])
