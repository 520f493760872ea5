"""The two ledgers compared on a real Prometheus, and the ratio's way back into the spend."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest

from controlplane import conventions as names
from controlplane.model.spend import SpendQuestion, SpendRow, SpendTable
from finops.pricing.daemon import ReconciliationCollector, ReconciliationDaemon
from finops.pricing.model import BilledNames, Price
from tests.finops.pricing.pricing import D, a_map, counted, record
from tests.slo.evaluating import past, unix, utc

FIRST, NOW = utc(2026, 3, 1), utc(2026, 3, 6, 10)


class Bill:
    """A bill that says 1.25 times of what is estimated, for every day but the last."""

    def __init__(self) -> None:
        self.asked: list[SpendQuestion] = []

    def spend(self, question: SpendQuestion) -> SpendTable:
        self.asked.append(question)
        days = [FIRST + timedelta(days=number) for number in range(4)]
        rows = [SpendRow((f"{day:%Y-%m-%dT00:00:00Z}", "Shop Ltd"), "USD", D("1.25") * 864, D(0)) for day in days]
        rows.append(SpendRow((f"{FIRST:%Y-%m-%dT00:00:00Z}", "Steuer"), "EUR", D(5), D(5)))
        return SpendTable(question.by, tuple(rows), FIRST + timedelta(days=4))


def test_the_ratio_of_both_ledgers_is_told_and_corrects_the_spend(tmp_path: Path) -> None:
    with past(tmp_path) as memory:
        times = np.arange(unix(FIRST) - 600, unix(NOW) + 1, 60)
        series = {"__name__": "requests_total", "job": "a", "instance": "a:1", "service": "shop"}
        memory.write(series, times, (times - times[0]) * 10.0)
        item = counted(name="requests", by=("service",), schedule=(Price(D("0.001")),))
        price_map = replace(a_map(item), billed=BilledNames("vendor", (("shop", ("Shop Ltd",)),)))
        record(memory, price_map, FIRST, NOW - timedelta(minutes=9))
        bill = Bill()
        daemon = ReconciliationDaemon(bill, memory.backend)
        found = daemon.run_once([price_map], NOW)
        assert bill.asked[0].by == ("day", "vendor")
        assert found.ratios == {("shop", "USD"): D("1.25")}
        registry = CollectorRegistry()
        registry.register(ReconciliationCollector(daemon))
        text = generate_latest(registry).decode()
        assert 'flyball_cost_correction_ratio{currency="USD",service="shop"} 1.25' in text
        until = unix(FIRST + timedelta(days=4))
        assert f'flyball_cost_correction_timestamp_seconds{{currency="USD",service="shop"}} {until / 1e9!r}e+09' in text
        assert 'flyball_cost_reconciliation_services{currency="EUR",outcome="only_billed"} 1.0' in text
        for name, value in ((names.CORRECTION_RATIO, 1.25), (names.CORRECTION_AT, float(until))):
            labels = {"__name__": name, "service": "shop", "currency": "USD"}
            memory.write(labels, times[-30:], np.full(30, value))
        record(memory, price_map, NOW - timedelta(minutes=8), NOW)
        spend, estimate = (memory.value(name, NOW) for name in (names.SPEND_ROLLING, names.ESTIMATE_ROLLING))
        assert estimate is not None
        assert spend == estimate * 1.25
        restarted = ReconciliationDaemon(bill, memory.backend)
        memory.write(
            {"__name__": names.CORRECTION_RATIO, "service": "shop", "currency": "USD"}, times[-1:] + 1, np.array([1.26])
        )
        assert restarted.run_once([price_map], NOW + timedelta(seconds=2)).ratios == {("shop", "USD"): D("1.26")}
