"""Sums over windows that end now, as PromQL: of bad events and all events, or of money spent and money expected.

Whatever burns is recorded twice: as a *rolling* series, every minute what the last 5 minutes held, and as a *ledger*,
every 5 minutes the mean of five rolling values, so that entries add up to totals (RULES.md, ideas 1 and 2). Windows
below a day are summed from the rolling series, longer ones from the ledger. A rolling value counts 5 minutes and one is
written every minute, so a sum of N of them counts everything five times, except at its two edges: what came in the last
5 minutes is only partly in it, and it reaches 4 minutes further back. While the flow is steady over 5 minutes each edge
is worth two minutes, so `sum ÷ 5 + 0.4 × (latest rolling value − the one before the window)` mends both.
"""

from datetime import timedelta
from typing import Final

from controlplane.burn_rate.arithmetic import LEDGER_INTERVAL, duration, number, seconds

ROLLING: Final = timedelta(minutes=5)
ROLLING_OVERLAP: Final = 5  # a rolling value is written every minute: sums of them count everything five times
LEDGER_SUMS_FROM: Final = timedelta(days=1)  # shorter sums come from the rolling series, which is fresher
_MINUTE: Final = timedelta(minutes=1)
_EDGE: Final = "0.4"  # of a rolling value: two of its five minutes
_LATE: Final = "15m"  # written every 5 minutes and read every minute: look back over two missed evaluations


def ledger_entry(rolling: str) -> str:
    """PromQL: the ledger's entry of the last 5 minutes, from the selector of a rolling series."""
    return f"avg_over_time({rolling}[5m])"


def ledger_sum(ledger: str, length: timedelta) -> str:
    """PromQL: what the ledger holds of a window of `length`; `ledger` selects it."""
    return f"sum_over_time({ledger}[{_holding(length, LEDGER_INTERVAL)}])"


def sum_up_to_now(rolling: str, length: timedelta, ledger_summed: str = "") -> str:
    """PromQL: what a window of `length` that ends now holds, with its edges mended.

    `rolling` selects the rolling series. Windows of a day or more also need `ledger_summed`, which selects the recorded
    `ledger_sum` of the same length. Gaps count as nothing; absent only while the rolling series is.
    """
    change = f"({rolling} - ({rolling} offset {duration(length)} or 0 * {rolling}))"
    if length < LEDGER_SUMS_FROM:
        # In the first minutes of an outage its events are all in the latest value, and only partly in the sum.
        summed = f"sum_over_time({rolling}[{_holding(length, _MINUTE)}]) / {ROLLING_OVERLAP}"
        return f"{summed}\n+ {_EDGE} * {change}\n> {rolling}\nor\n{rolling}"
    entry = number(seconds(LEDGER_INTERVAL))
    # Since the ledger's latest entry as much has come in and gone out as at the edges of the window.
    age = f"(time() - timestamp({ledger_summed}) or 0 * {rolling} + {entry})"
    return f"last_over_time({ledger_summed}[{_LATE}])\n+ ({_EDGE} + {age} / {entry})\n* {change}"


def entries_of(length: timedelta) -> int:
    """How many values a window that is fully measured has in the series that it is summed from."""
    return length // (LEDGER_INTERVAL if length >= LEDGER_SUMS_FROM else _MINUTE)


def _holding(length: timedelta, entry: timedelta) -> str:
    """A range that holds exactly `length` ÷ `entry` values, whether the engine counts one at its very beginning or not.

    Prometheus does until 2.x, and does not from 3.0 on.
    """
    minutes, rest = divmod(length - entry / 2, _MINUTE)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (rest // timedelta(seconds=1), "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)
