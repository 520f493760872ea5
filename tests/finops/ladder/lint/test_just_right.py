"""What stands exactly at a bound is no mistake, and one step further is one."""

import pytest

from tests.finops.ladder.reading.documents import problems_after

BOUNDS = [
    pytest.param(
        "growth: ", "limits: {changesPerDay: 6}\n  growth: ", "changesPerDay: 6", "changesPerDay: 5", id="cap"
    ),
    pytest.param(
        "growth: ",
        "limits: {changesPerDay: 6}\n  growth: ",
        "changesPerDay: 6",
        "changesPerDay: 2",
        id="cap-below-the-top",
    ),
    pytest.param("saving: 4\n", "saving: 4\n      dwell: 1m\n", "dwell: 1m", "dwell: 59s", id="dwell"),
    pytest.param("saving: 4\n", "saving: 4\n      expires: 16m\n", "expires: 16m", "expires: 15m", id="expiry"),
    pytest.param("{all: {llm-burn: 4}}", "{all: {llm-burn: 4}, samples: 1440}", "1440", "1441", id="samples"),
    pytest.param("signals:\n", "staleAfter: 2m\n  signals:\n", "staleAfter: 2m", "staleAfter: 119s", id="staleness"),
    pytest.param("enter: {all: {llm-burn: 8}}", "enter: {all: {llm-burn: 1000}}", "1000", "1001", id="rate"),
    pytest.param("llm-forecast: 1.1}", "llm-forecast: 10}", "llm-forecast: 10}", "llm-forecast: 10.1}", id="share"),
    pytest.param("exit: {all: {llm-burn: 2}}", "exit: {all: {llm-burn: 3.99}}", "3.99", "4.00", id="hysteresis"),
    pytest.param("any: {llm-burn: 2,", "any: {llm-burn: 1.21,", "1.21", "1.2", id="hysteresis-of-several"),
    pytest.param("exit: {all: {llm-burn: 2}}", "exit: {all: {llm-burn: 3.9}}", "3.9", "4.1", id="above-enter"),
    pytest.param("fromTier: 2", "fromTier: 3", "fromTier: 3", "fromTier: 4", id="brake"),
    pytest.param("emergency: {tier: 3", "emergency: {tier: 2", "tier: 2", "tier: 4", id="jump"),
    pytest.param(
        "enter: {all: {llm-burn: 8}}\n      exit: {all: {llm-burn: 4}}",
        "enter: {all: {llm-burn: 4}}\n      exit: {all: {llm-burn: 2.1}}",
        "llm-burn: 4}}",
        "llm-burn: 3.9}}",
        id="order",
    ),
]


@pytest.mark.parametrize(("old", "right", "written", "wrong"), BOUNDS)
def test_a_bound_is_where_it_is_said_to_be(old: str, right: str, written: str, wrong: str) -> None:
    assert [one for one in problems_after(old, right) if not one.endswith("[ladder-saving]")] == []
    assert problems_after(old, right.replace(written, wrong)) != []
