"""Last month's usage under another price map, on a real Prometheus."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from controlplane import conventions as names
from finops.pricing.model import Price, PriceMap
from finops.pricing.revaluation_views import as_json, words
from finops.pricing.revaluing import change_by_time, revalue
from tests.finops.pricing.pricing import D, a_map, counted, present
from tests.finops.pricing.test_prices_under_promtool import llm
from tests.slo.evaluating import Past, past, unix, utc

FIRST, CHANGE, LAST = utc(2026, 3, 1), utc(2026, 3, 2, 12), utc(2026, 3, 4)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with past(tmp_path_factory.mktemp("prometheus")) as found:
        times = np.arange(unix(FIRST) - 900, unix(LAST) + 1, 60)
        target = {"job": "a", "instance": "a:1"}
        for service, per_second in (("shop", 10.0), ("api", 2.0)):
            labels = {"__name__": "requests_total", "service": service, **target}
            found.write(labels, times, (times - times[0]) * per_second)
        found.write({"__name__": "nodes", "service": "shop"}, times, np.full(times.size, 4.0))
        for model in ("gpt-4o", "own-model"):
            labels = {"__name__": "gen_ai_client_token_usage_sum", "gen_ai_request_model": model, **target}
            found.write({**labels, "gen_ai_token_type": "input", "tenant": "t"}, times, (times - times[0]) * 100.0)
        yield found


def requests(*prices: Price) -> PriceMap:
    return a_map(counted(name="requests", by=("service",), schedule=prices))


BEFORE = requests(Price(D("0.0001")))
AFTER = requests(Price(D("0.0001")), Price(D("0.0002"), D(1), CHANGE))


def test_only_prices_changed(memory: Past) -> None:
    shares: list[float] = []
    found = revalue([BEFORE], [AFTER], memory.backend, start=FIRST, end=LAST, progress=shares.append)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])
    (item,) = found.items
    seconds = 3 * 86_400
    assert float(item.old or 0) == pytest.approx(seconds * 12 * 0.0001, rel=1e-9)
    assert float(item.new or 0) == pytest.approx(seconds * 12 * 0.00015, rel=1e-9)
    assert item.known == 1
    assert [(row.service, round(row.new or D(0), 6)) for row in found.rows] == [
        ("api", D("77.76")),
        ("shop", D("388.8")),
    ]
    assert {series.labels["service"]: len(series.points) for series in found.new_series} == {"api": 864, "shop": 864}
    change = change_by_time(found, lambda labels: labels["service"] == "shop")
    assert float(sum(change.values())) == pytest.approx(129.6, rel=1e-9)
    assert change[CHANGE] == 0
    assert float(change[CHANGE + timedelta(minutes=5)]) == pytest.approx(3000 * 0.0001, rel=1e-9)


def test_items_that_are_the_same_are_left_out_and_added_and_removed_ones_are_told(memory: Past) -> None:
    nodes = present(name="node-hours", by=("service",), schedule=(Price(D("0.5")),))
    same = replace(nodes, name="same")
    old, new = replace(BEFORE, items=(*BEFORE.items, same)), a_map(nodes, same)
    found = revalue([old], [new], memory.backend, start=FIRST, end=FIRST + DAY)
    assert [(each.item, each.old is None, each.new is None) for each in found.items] == [
        ("node-hours", True, False),
        ("requests", False, True),
    ]
    assert float(found.items[0].new or 0) == pytest.approx(4 * 24 * 0.5, rel=1e-9)
    assert list(words(found)) == [
        "requests: gone; cost 103.68 USD",
        "node-hours: new; would have cost 48.00 USD",
        "in all: 103.68 USD → 48.00 USD (−53.7 %)",
    ]


def test_another_currency_is_another_item(memory: Past) -> None:
    found = revalue([BEFORE], [replace(BEFORE, currency="EUR")], memory.backend, start=FIRST, end=FIRST + DAY)
    assert [(each.currency, each.old is None, each.new is None) for each in found.items] == [
        ("EUR", True, False),
        ("USD", False, True),
    ]


def test_tokens_of_models_without_a_price_are_units_and_no_money(memory: Past) -> None:
    item = llm()
    assert item.catalogue is not None
    cheaper = replace(
        item,
        catalogue=replace(
            item.catalogue, prices=(replace(item.catalogue.prices[0], schedule=(Price(D(2), D(1_000_000)),)),)
        ),
    )
    found = revalue([a_map(item)], [a_map(cheaper)], memory.backend, start=FIRST, end=FIRST + DAY)
    (tokens,) = found.items
    assert float(tokens.old or 0) == pytest.approx(8_640_000 * 2.5e-6, rel=1e-9)
    assert float(tokens.new or 0) == pytest.approx(8_640_000 * 2e-6, rel=1e-9)
    assert float(tokens.unpriced) == pytest.approx(8_640_000, rel=1e-9)
    assert list(words(found)) == [
        "llm: 21.60 USD → 17.28 USD (−20 %) (8,640,000 units would have no price)",
    ]  # fmt: skip


def test_usage_that_is_forgotten_is_taken_from_the_old_ledger_and_what_nobody_knows_is_missing(memory: Past) -> None:
    times = np.arange(unix(FIRST - 2 * DAY) + 300, unix(FIRST - DAY) + 1, 300)
    labels = {"__name__": names.ESTIMATE_LEDGER, "price": "requests", "service": "shop", "currency": "USD"}
    memory.write(labels, times, np.full(times.size, 0.3))
    after = requests(Price(D("0.0003")))
    found = revalue([BEFORE], [after], memory.backend, start=FIRST - 3 * DAY, end=FIRST - DAY)
    (item,) = found.items
    assert float(item.old or 0) == pytest.approx(288 * 0.3, rel=1e-9)
    assert float(item.new or 0) == pytest.approx(288 * 0.9, rel=1e-9)
    assert item.known == D("0.5")
    assert list(words(found)) == ["requests: 86.40 USD → 259.20 USD (+200 %) (usage is known for 50 % of the time)"]
    nothing = revalue([BEFORE], [after], memory.backend, start=FIRST - 30 * DAY, end=FIRST - 29 * DAY)
    assert list(words(nothing)) == ["requests: no usage is known, so nothing can be said"]
    assert nothing.items[0].old is None


def test_both_sides_are_corrected_by_the_bill_and_sums_are_text_in_json(memory: Past) -> None:
    ratios = {("shop", "USD"): Decimal("1.1")}
    end = FIRST + timedelta(hours=1)
    found = revalue([BEFORE], [AFTER], memory.backend, start=FIRST, end=end, ratios=ratios, keep=())
    told = json.loads(json.dumps(as_json(found)))
    by_service = {row["service"]: row["old"] for row in told["services"]}
    assert by_service["shop"].startswith("3.96")
    assert by_service["api"].startswith("0.72")
    assert [dict(series.labels) for series in found.new_series] == [
        {"price": "requests", "resource": "custom", "currency": "USD"}
    ]
    assert sum(value for _, value in found.new_series[0].points) == pytest.approx(4.68, rel=1e-9)
