"""The ledger of a calendar window, as PromQL: its entries by period (RULES.md, "Calendar month").

An entry belongs to the period in which it is written, so a period has exactly as many as 5 minutes fit into it: March
in Berlin has 743 hours of them. `start` selects the recorded series that tells when the current period began.
"""

from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL, duration, seconds
from controlplane.calendar.tables import table_of
from controlplane.model.slo import CalendarWindow

_DAY: Final = timedelta(days=1)
ENTRY_SECONDS: Final = int(seconds(LEDGER_INTERVAL))


def with_period(entry: str, start: str) -> str:
    """Ledger entries with the label `period` of the current one."""
    return f"{entry}\n* on () group_left ({names.PERIOD})\n{current_period(start)}"


def current_period(start: str) -> str:
    """1 with the label `period` of the current one."""
    return f'count_values ("{names.PERIOD}", {start})'


def total(window: CalendarWindow, ledger: str, start: str) -> str:
    """What the entries of the current period so far add up to; `ledger` selects those with a period."""
    return f"sum without ({names.PERIOD}) (\n  {_of_current_period(window, 'sum_over_time', ledger, start)}\n)"


def coverage(window: CalendarWindow, ledger: str, start: str, but: tuple[str, ...] = ()) -> str:
    """The share of the elapsed part of the period for which there is an entry, `without` the labels `but`."""
    dropped = ", ".join((*but, names.PERIOD))
    counted = f"sum without ({dropped}) (\n  {_of_current_period(window, 'count_over_time', ledger, start)}\n)"
    return f"clamp_max(\n{counted}\n/ ({elapsed_entries(start)}),\n1\n)"


def elapsed_entries(start: str) -> str:
    """How many ledger entries a period has had by now if none is missing."""
    return f"scalar(floor((time() - {start}) / {ENTRY_SECONDS})) + 1"


def longest_period(window: CalendarWindow) -> timedelta:
    """Whole days that hold every period of a window."""
    return -(-table_of(window).longest // _DAY) * _DAY


def _of_current_period(window: CalendarWindow, function: str, ledger: str, start: str) -> str:
    of_all = f"{function}({ledger}[{duration(longest_period(window))}])"
    return f"{of_all}\n  and on ({names.PERIOD})\n  {current_period(start)}"
