"""The money that a tier may save, and the load that it follows, as a real Prometheus tells them."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from finops.ladder.model import Growth, Measure
from finops.ladder.savings.queries import load_query, money_query
from finops.ladder.signals.scopes import MoneyScope, Scopes
from tests.finops.ladder.ladders import a_ladder, a_signal
from tests.slo.evaluating import Past, past, unix, utc

NOW = utc(2026, 3, 11, 12)
HOUR = timedelta(hours=1)
SCOPES = Scopes(
    {
        "llm": MoneyScope("USD", (("resource", ("token",)),)),
        "assistant": MoneyScope("USD", (("service", ("assistant",)),)),
        "euros": MoneyScope("EUR"),
    }
)
SIGNALS = tuple(a_signal(name, Measure.BURN_RATE, name) for name in ("llm", "assistant", "euros"))


def write(server: Past, name: str, value: float, **labels: str) -> None:
    times = np.arange(unix(NOW - 2 * HOUR), unix(NOW) + 1, 300)
    server.write({"__name__": name, **labels}, times, np.full(times.size, value))


def at_both(server: Past, expr: str) -> list[tuple[int, float]]:
    """Minutes before now and the values then, every half hour."""
    found = server.backend.query_range(expr, NOW - HOUR, NOW, HOUR / 2)
    assert len(found) <= 1
    return [((NOW - at) // timedelta(minutes=1), value) for series in found for at, value in series.points]


def test_money_counts_once_in_its_currency_and_is_unknown_while_a_source_is_silent(tmp_path: Path) -> None:
    with past(tmp_path) as server:
        spend = "cost:spend:ledger5m"
        write(server, spend, 1.0, currency="USD", resource="token", service="assistant", price="tokens")
        write(server, spend, 0.5, currency="USD", resource="node", service="assistant", price="nodes")
        write(server, spend, 9.0, currency="USD", resource="node", service="other", price="other")
        write(server, spend, 9.0, currency="EUR", resource="token", service="assistant", price="tokens")
        times = np.arange(unix(NOW - 2 * HOUR), unix(NOW) + 1, 60)
        silent = np.minimum(times - 30, unix(NOW - timedelta(minutes=12)))
        for item, taken in (("tokens", times - 30), ("nodes", silent), ("other", times * 0 + unix(NOW - HOUR))):
            server.write({"__name__": "cost:usage:timestamp_seconds", "price": item}, times, taken)
        expr = money_query(a_ladder(signals=SIGNALS), SCOPES)
        assert at_both(server, expr) == [(60, 18.0), (30, 18.0)]
        assert at_both(server, money_query(a_ladder(signals=SIGNALS[:1]), SCOPES)) == [
            (60, 12.0),
            (30, 12.0),
            (0, 12.0),
        ]
        write(server, "unit_cost:units:ledger5m", 40.0, unit_cost="calls", route="a")
        write(server, "unit_cost:units:ledger5m", 2.0, unit_cost="calls", route="b")
        load = load_query(a_ladder(signals=(a_signal("calls", Measure.UNIT_COST, "calls"),)))
        assert load is not None
        assert at_both(server, load[0]) == [(60, 42.0), (30, 42.0), (0, 42.0)]


def test_the_load_is_that_of_the_unit_cost_that_tells_growth() -> None:
    signals = tuple(a_signal(name, Measure.UNIT_COST, name) for name in ("first", "second"))
    first = load_query(a_ladder(signals=signals))
    chosen = load_query(a_ladder(signals=signals, growth=Growth("second", Decimal("1.05"))))
    assert first is not None
    assert chosen is not None
    assert (first[1], chosen[1]) == ("first", "second")
    assert load_query(a_ladder(signals=SIGNALS)) is None
