"""What a controller remembers comes back as it was; what cannot be read begins anew, and says so."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.ladder import AppliedTier
from finops.ladder.controller import initial, state_as_json, state_from_json
from finops.ladder.deciding import ControllerState
from tests.finops.ladder.controller.building import DAY, HOUR, START, a_ladder, at_tier

TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
TIERS = st.integers(0, 9)
STATES = st.builds(
    ControllerState,
    tier=TIERS,
    since=st.none() | TIMES,
    entering=st.dictionaries(TIERS, st.integers(0, 99), max_size=3),
    leaving=st.integers(0, 99),
    jumping=st.integers(0, 99),
    moves=st.lists(TIMES, max_size=3).map(tuple),
    entered=st.dictionaries(TIERS, TIMES, max_size=3),
    failures=st.dictionaries(TIERS, st.tuples(st.integers(0, 99), TIMES), max_size=3),
    locked=st.frozensets(TIERS, max_size=3),
    sampled_at=st.none() | TIMES,
)
CLEAN = ControllerState()
KEPT = state_as_json(
    at_tier(2, moves=(START,), failures={3: (1, START)}, locked=frozenset({3}), entering={3: 1}, sampled_at=START)
)


@settings(max_examples=40)
@given(state=STATES)
def test_what_is_kept_comes_back(state: ControllerState) -> None:
    def no_floats(text: str) -> float:
        raise AssertionError(text)

    kept = json.loads(json.dumps(state_as_json(state)), parse_float=no_floats)

    restored = state_from_json(kept, CLEAN, tier=state.tier)

    assert (restored.state, restored.problem) == (state, "")


def test_nothing_kept_is_a_clean_start_without_a_problem() -> None:
    restored = state_from_json({}, CLEAN)

    assert (restored.state, restored.problem) == (CLEAN, "")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 2}, "its version is 2, and 1 is known"),
        ({"tier": -1}, "-1 is no count"),
        ({"tier": True}, "True is no count"),
        ({"tier": 1.5}, "1.5 is no count"),
        ({"since": 5}, "5 is no time"),
        ({"since": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
        ({"since": "2026-11-02T12:00:00"}, "'2026-11-02T12:00:00' is not in UTC"),
        ({"since": "2026-11-02T12:00:00+01:00"}, "'2026-11-02T12:00:00+01:00' is not in UTC"),
        ({"entering": [1]}, "what is kept by tier is an object"),
        ({"entering": {"x": 1}}, "invalid literal for int() with base 10: 'x'"),
        ({"failures": {"1": [1]}}, "a failure is a number and a time"),
        ({"moves": "all"}, "locked and moves are lists"),
        ({"locked": None}, "locked and moves are lists"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_cannot_be_read_begins_anew_and_says_so(change: dict[str, Any], told: str) -> None:
    restored = state_from_json({**KEPT, **change}, CLEAN)

    assert restored.state == CLEAN
    assert restored.problem == f"what the ladder remembered cannot be read ({told}): it counts anew"


@settings(max_examples=60)
@given(
    key=st.sampled_from(sorted(KEPT)),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_leaves=4,
    ),
)
def test_nothing_that_is_kept_raises(key: str, value: Any) -> None:
    restored = state_from_json({**KEPT, key: value}, CLEAN)

    assert restored.problem or restored.state != CLEAN


@pytest.mark.parametrize("key", sorted(KEPT))
def test_what_is_not_whole_begins_anew(key: str) -> None:
    restored = state_from_json({name: value for name, value in KEPT.items() if name != key}, CLEAN)

    assert restored.state == CLEAN
    assert key in restored.problem


def test_a_tier_that_flags_contradict_is_not_believed() -> None:
    clean = at_tier(1)

    restored = state_from_json(KEPT, clean, tier=1)

    assert restored.state == clean
    assert restored.problem == "the ladder remembered tier 2, and tier 1 is in force: it counts anew"


def test_a_clean_start_knows_the_tiers_in_force_and_waits_from_now() -> None:
    later = START + 2 * HOUR
    applied = [AppliedTier(number, START + number * HOUR, f"step-{number}", ()) for number in (1, 2)]
    moves = [START - DAY, later - timedelta(hours=3)]

    state = initial(a_ladder(), later, applied, moves)

    assert state == ControllerState(
        tier=2, since=later, entered={1: START + HOUR, 2: START + 2 * HOUR}, moves=(later - timedelta(hours=3),)
    )
