"""What a simulation looks like, in a terminal and as JSON."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from finops.ladder.simulation.as_json import as_json
from finops.ladder.simulation.as_text import as_text
from finops.ladder.simulation.drawing import lanes, staircase
from finops.ladder.simulation.fail_on import fail_on
from finops.ladder.simulation.model import Options, Simulation
from finops.ladder.simulation.running import simulate
from tests.finops.ladder.simulation.examples import history, ladder, tier


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    course = ["1"] * 30 + ["3"] * 60 + ["1"] * 60 + [None] * 20 + ["1"] * 40
    return simulate(ladder(), history(course, users="100", spend="50"), Options())


def test_a_report_fits_eighty_columns_and_tells_when_what_and_why(simulation: Simulation) -> None:
    told = as_text([simulation])
    assert max(map(len, told.splitlines())) <= 80
    assert "2026-11-02 00:32  0 → 1   burn is 3, tier 1 wants 2 or more: 3            10 USD" in told
    assert "money saved            10.3 USD (5.9 % of 175 USD spent)" in told
    assert "reduced on purpose     1 h 2 min (29.5 % of the time)" in told
    assert "user-minutes degraded  6200" in told
    assert "without data           20 min" in told
    assert "Soon is 1 h or less." in told


def test_tiers_are_drawn_over_time(simulation: Simulation) -> None:
    drawn = list(staircase(simulation))
    assert drawn[0].rstrip("█") == "     observe 1 ┤         "
    assert drawn[0].count("█") == 20
    assert drawn[1].startswith("full service 0 ┤·····")
    assert "?" in drawn[1]
    assert "02 01:00" in drawn[2]


def test_policies_stand_side_by_side(simulation: Simulation) -> None:
    other = simulate(ladder(tier(1, "9", "1")), history(["1"] * 210, users="100", spend="50"), Options(), "calm")
    told = as_text([simulation, other])
    assert max(map(len, told.splitlines())) <= 80
    first, second, _ = lanes([simulation, other])
    assert first.startswith("shop │·····")
    assert "1111" in first
    assert set(second.removeprefix("calm │")) == {"·"}
    assert "It would not have moved." in told


def test_what_users_wrote_cannot_command_the_terminal(simulation: Simulation) -> None:
    told = as_text([replace(simulation, label="shop\x1b[31m\n", origin="from\x1b]0;x\x07")])
    assert "\x1b" not in told
    assert "\x07" not in told


def test_json_has_every_figure_move_and_hold(simulation: Simulation) -> None:
    document = json.loads(as_json([simulation], [("shop", fail_on("flaps>0"))]))
    (policy,) = document["policies"]
    assert policy["totals"] == {
        "flaps": 0, "moves": 2, "undone": 0, "saved": "10.333333", "degraded_minutes": 62,
        "degraded_user_minutes": "6200", "max_tier": 1, "held_minutes": 0, "minutes_without_data": 20, "spent": "175",
    }  # fmt: skip
    assert [(each["at"], each["from"], each["to"], each["outcome"]) for each in policy["timeline"]] == [
        ("2026-11-02T00:32:00Z", 0, 1, "committed"),
        ("2026-11-02T01:34:00Z", 1, 0, "committed"),
    ]
    assert policy["tiers"][0] == {
        "tier": 1, "name": "observe", "entered": 1, "minutes": 62, "user_minutes": "6200", "saved": "10.333333",
    }  # fmt: skip
    assert policy["held"][0]["because"] == "no-data"
    assert document["failed"] == [{"policy": "shop", "condition": "flaps > 0"}]


def test_a_failed_condition_is_told(simulation: Simulation) -> None:
    assert "Failed: shop: moves >= 1" in as_text([simulation], [("shop", fail_on("moves>=1"))])


def test_a_long_timeline_is_cut(simulation: Simulation) -> None:
    many = replace(simulation, moves=simulation.moves * 150)
    assert "… and 101 more rows (--json has them all)" in as_text([many])
    assert simulation.totals.saved < Decimal(11)
