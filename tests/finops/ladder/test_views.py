"""How a ladder stands and why, as people and programs read it; and the decision that this is read from."""

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.ladder import (
    AppliedTier,
    Approval,
    ApprovalScope,
    LadderHold,
    LadderOrder,
    LadderState,
    OrderKind,
    SavingsReceipt,
    StepCause,
    StepPhase,
    StepRecord,
)
from finops.ladder.deciding import Because, ControllerState, Decision, Move, Note
from finops.ladder.explanation import explained
from finops.ladder.explanation_views import explain_data, explain_text
from finops.ladder.last_decision import LAST, last_as_json, last_of
from finops.ladder.model import Brake, Comparison, Emergency, Growth, Ladder, Mode
from finops.ladder.readings import Quality, Reading, Readings
from finops.ladder.standing import Standing
from finops.ladder.views import receipt_data, status_data, status_text
from tests.finops.ladder.controller.building import HERE, HOUR, MINUTE, START, a_ladder, a_tier

NOW = START + 5 * MINUTE
LADDER = a_ladder(
    a_tier(1), a_tier(2), a_tier(3),
    brakes=(Brake("gateway-availability", Decimal(0), 2, True, HERE),),
    growth=Growth("cost", Decimal("1.05")),
    emergency=Emergency(3, (Comparison("spike", Decimal(10)), Comparison("infra", Decimal(4))), 3),
)  # fmt: skip
READINGS = Readings(
    START,
    {
        "burn": Reading(Quality.GOOD, Decimal("1.1"), START, Decimal("0.2")),
        "forecast": Reading(Quality.GOOD, Decimal("0.95"), START),
        "cost": Reading(Quality.STALE, None, START - HOUR, reason="its data is 1 h old"),
    },
    {"gateway-availability": Reading(Quality.GOOD, Decimal("0.42"), START)},
    {1: Decimal("0.5")},
)
DECISION = Decision(
    ControllerState(1, START, {2: 1}, leaving=4),
    None,
    (Note(Because.COUNTING, "Tier 2 wants 2 more samples", 2), Note(Because.NO_DATA, "cost is stale", 0, True)),
    (2,),
)


def a_state(decision: Decision = DECISION, mode: Mode = Mode.ENFORCE, tier: int = 1) -> LadderState:
    applied = tuple(AppliedTier(number, START, f"s{number}", ()) for number in range(1, tier + 1))
    return LadderState("intelgraph", applied, {LAST: last_as_json(decision, READINGS, mode, START)}, START)


def a_standing(ladder: Ladder | None = LADDER, state: LadderState | None = None, **more: Any) -> Standing:
    stands = a_state() if state is None else state
    plain = Standing("intelgraph", NOW, ladder, stands, last_of(stands), None, None, (), (), ())
    return replace(plain, **more)


FULL = a_standing(
    state=replace(a_state(), theirs={"depth": 2, "on": True}),
    step=StepRecord(
        "s2", "intelgraph", "platform", 1, 2, StepCause.SIGNALS, "burn is 4.3, tier 2 wants 4 or more", "flyball",
        NOW - MINUTE, StepPhase.VERIFYING, (), attempts=2,
    ),
    hold=LadderHold("intelgraph", "ann", "a release, for a reason that takes more than one line of 80", NOW, None),
    approvals=(Approval("a1", "intelgraph", 3, ApprovalScope.JUMP, "bob", "agents run away", START, NOW + HOUR),),
    orders=(LadderOrder("o1", "intelgraph", OrderKind.STEP, 3, "bob", "why", START),),
    receipts=(
        SavingsReceipt("s1", "intelgraph", 1, "USD", Decimal("1.20"), START, None, Decimal("1.1"), Decimal("0.9"),
                       Decimal("1.3"), Decimal("3.45"), NOW),
        SavingsReceipt("s0", "intelgraph", 1, "USD", Decimal(1), START, START, saved=Decimal(2)),
    ),
)  # fmt: skip


def fits(text: str) -> str:
    assert max(map(len, text.splitlines())) <= 80
    assert all(line == line.rstrip() for line in text.splitlines())
    return text


def test_status_tells_everything_that_concerns_a_ladder() -> None:
    assert fits(status_text([FULL], leader="a")) == (
        "intelgraph: tier 1 of 3 (observe) since 2026-11-02 12:00 UTC, 5 min\n"
        "  mode       enforce\n"
        "  judged     5 min ago, 2026-11-02 12:00 UTC\n"
        "  signals    burn 1.1, cost stale (its data is 1 h old), forecast 0.95\n"
        "  step       1 → 2, verifying, begun 1 min ago by flyball, tried 2 times: burn\n"
        "             is 4.3, tier 2 wants 4 or more\n"
        "  orders     o1: step to tier 3, waits, asked 5 min ago by bob: why\n"
        "  held       until it is resumed, by ann: a release, for a reason that takes\n"
        "             more than one line of 80\n"
        "  yielded    people changed depth (we had set 2), on (we had set true): flyball\n"
        "             ladder resume intelgraph --keep-theirs, or --take-back\n"
        "  asks       for an approval of tier 2 of 3 (throttle): flyball ladder approve\n"
        "             intelgraph --tier 2 --why …\n"
        "  approvals  a1: jump, tier 3, until 2026-11-02 13:05 UTC, by bob: agents run\n"
        "             away\n"
        "  savings    tier 1: 1.2 USD an hour predicted, 1.1 (0.9 to 1.3) measured\n"
        "  saved      5.45 USD in the last 30 days"
    )


def test_status_tells_a_tier_that_does_not_pay_and_how_much_there_still_is_to_save() -> None:
    idle = replace(FULL.receipts[0], realised=Decimal("0.1"), low=Decimal(0), high=Decimal("0.2"), since=NOW - HOUR)
    told = a_standing(receipts=(replace(idle, remaining=Decimal("0.1234")),))
    words = " ".join(fits(status_text([told], leader="a")).split())
    assert "does not pay: tier 1: 1.2 USD an hour predicted, 0.1 (0 to 0.2) measured; spend is 12 % of" in words
    data = receipt_data(told.receipts[0], NOW)
    assert (data["saves_nothing"], data["remaining"]) == (True, "0.1234")
    young = a_standing(receipts=(replace(idle, since=NOW - 30 * MINUTE, remaining=Decimal(1)),))
    assert "does not pay" not in status_text([young], leader="a")
    assert "spend is" not in status_text([young], leader="a")


def test_status_says_when_nobody_leads_and_when_the_kill_switch_is_set() -> None:
    text = fits(
        status_text([a_standing(state=LadderState("intelgraph", (), {}, NOW))], leader=None, stopped="STOP is there")
    )
    assert text.startswith("The kill switch is set: STOP is there. No flag is written.\n\nNobody leads: ")
    assert text.endswith("intelgraph: full service\n  mode       enforce\n  judged     not yet")
    data = status_data([FULL], leader=None, stopped="x")
    assert (data["leader"], data["kill_switch"]) == (None, "x")


def test_status_as_json_has_exact_figures_and_no_floats() -> None:
    (one,) = json.loads(json.dumps(status_data([FULL], leader="a")), parse_float=lambda text: 1 / 0)["ladders"]
    assert (one["tier"], one["tier_name"], one["top"], one["since"]) == (1, "observe", 3, "2026-11-02T12:00:00Z")
    assert one["signals"]["burn"]["value"] == "1.1"
    assert one["savings"][0]["predicted_per_hour"] == "1.20"
    assert one["saved"] == [{"currency": "USD", "amount": "5.45"}]
    assert (one["step"]["phase"], one["yielded"], one["asks"]) == ("verifying", {"depth": 2, "on": True}, [2])


def test_what_an_approval_allows_is_asked_for_no_more() -> None:
    given = Approval("a1", "intelgraph", 2, ApprovalScope.STEP, "bob", "why", START, NOW + HOUR)
    assert a_standing(approvals=(given,)).asks == ()


def test_a_shadow_ladder_tells_where_it_would_be_and_an_undeclared_one_what_is_left() -> None:
    shadow = a_standing(replace(LADDER, mode=Mode.SHADOW), LadderState("intelgraph", (), {}, NOW))
    shadow = replace(shadow, last=last_of(a_state(mode=Mode.SHADOW)))
    assert status_text([shadow], leader="a").startswith(
        "intelgraph: full service; had it acted, tier 1 of 3 (observe)\n"
    )
    assert "shadow mode: had it acted, it would be at tier 1 of 3" in " ".join(
        fits(explain_text(explained(shadow))).split()
    )
    gone = a_standing(None)
    assert "declared no more: only people move it" in fits(status_text([gone], leader="a"))
    assert "flyball ladder step intelgraph --to 0" in " ".join(fits(explain_text(explained(gone))).split())
    fewer = a_standing(state=a_state(tier=3), ladder=a_ladder(a_tier(1)))
    assert "tier 3 (not declared any more)" in fits(status_text([fewer], leader="a"))
    fits(explain_text(explained(fewer)))


def test_an_explanation_compares_each_signal_and_tells_what_would_be_without_the_tier() -> None:
    assert fits(explain_text(explained(a_standing()))) == (
        "intelgraph is at tier 1 of 3 (observe) since 2026-11-02 12:00 UTC. It is in\n"
        "  enforce mode, and was judged 5 min ago.\n"
        "\n"
        "- Tier 2 wants 2 more samples\n"
        "- cost is stale\n"
        "\n"
        "To leave tier 1 of 3 (observe): all of these, 10 samples in a row, 4 so far\n"
        "  judged by what would be without it: it saves 0.5 USD an hour\n"
        "  SIGNAL    NEEDS  HOLDS  WITHOUT  VALUE\n"
        "  burn      < 1.2  no     1.2      1.1\n"
        "  forecast  < 1    yes    0.95     0.95\n"
        "\n"
        "To enter tier 2 of 3 (throttle): any of these, 3 samples in a row, 1 so far\n"
        "  SIGNAL    NEEDS  HOLDS  VALUE\n"
        "  burn      ≥ 4    no     1.1\n"
        "  forecast  ≥ 1.2  no     0.95\n"
        "\n"
        "To enter tier 3 of 3 (shed): any of these, 3 samples in a row, 0 so far\n"
        "  SIGNAL    NEEDS  HOLDS  VALUE\n"
        "  burn      ≥ 6    no     1.1\n"
        "  forecast  ≥ 1.3  no     0.95\n"
        "\n"
        "To jump to tier 3 of 3 (shed): two of these of different groups, 3 samples in a\n"
        "  row, 0 so far, and an approval\n"
        "  SIGNAL  NEEDS  HOLDS    VALUE\n"
        "  spike   ≥ 10   unknown  not read yet\n"
        "  infra   ≥ 4    unknown  not read yet\n"
        "\n"
        "Brakes, by the share of an error budget that is left\n"
        "  SLO                   AT   BRAKES  LEFT\n"
        "  gateway-availability  ≤ 0  no      0.42; from tier 2 on, leaving those in\n"
        "                                     force\n"
        "\n"
        "Growth: while the cost of a unit is flat, steps up need an approval\n"
        "  SIGNAL  NEEDS   HOLDS    VALUE\n"
        "  cost    < 1.05  unknown  stale (its data is 1 h old)"
    )


def test_an_explanation_as_json_has_every_comparison() -> None:
    told = explain_data(
        explained(a_standing(state=a_state(replace(DECISION, move=Move(1, 2, StepCause.PERSON, "why")))))
    )
    leave, enter, _ = json.loads(json.dumps(told))["conditions"]
    assert (leave["to"], leave["tier"], leave["streak"], leave["samples"]) == ("leave", 1, 4, 10)
    assert leave["comparisons"][0] == {
        "signal": "burn", "threshold": "1.2", "value": "1.1", "without_tier": "1.20", "holds": False, "fault": "",
    }  # fmt: skip
    assert (enter["to"], enter["verdict"], enter["streak"]) == ("enter", "fails", 1)
    assert told["move"] == {"from": 1, "to": 2, "cause": "person", "reason": "why"}
    assert told["saving_per_hour"] == "0.5"


def test_nothing_is_made_up_before_the_first_sample() -> None:
    told = explained(a_standing(state=LadderState("intelgraph", (), {}, NOW)))
    assert "not judged yet" in fits(explain_text(told))
    assert {row.holds for each in told.conditions for row in each.comparisons} == {None}


TIMES = st.datetimes(timezones=st.just(START.tzinfo), min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1))  # noqa: DTZ001 -- hypothesis wants them naive
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
WORDS = st.text(max_size=8)
TIERS = st.integers(0, 9)
READ = st.builds(Reading, st.sampled_from(Quality), st.none() | NUMBERS, st.none() | TIMES, st.none() | NUMBERS, WORDS)
NOTES = st.builds(Note, st.sampled_from(Because), WORDS, TIERS, st.booleans())
DECISIONS = st.builds(
    Decision,
    st.builds(ControllerState, TIERS, st.none() | TIMES, st.dictionaries(TIERS, TIERS), TIERS, TIERS),
    st.none() | st.builds(Move, TIERS, TIERS, st.sampled_from(StepCause), WORDS, WORDS),
    st.lists(NOTES, max_size=2).map(tuple),
    st.lists(TIERS, max_size=2).map(tuple),
)


@settings(max_examples=20)
@given(DECISIONS, st.dictionaries(WORDS, READ, max_size=2), st.dictionaries(TIERS, NUMBERS), st.sampled_from(Mode))
def test_a_decision_comes_back_from_its_json(
    decision: Decision, signals: dict[str, Reading], savings: dict[int, Decimal], mode: Mode
) -> None:
    readings = Readings(START, signals, dict(signals), savings)
    found = last_of(
        LadderState("x", (), {LAST: json.loads(json.dumps(last_as_json(decision, readings, mode, START)))}, NOW)
    )
    assert found is not None
    assert (found.at, found.mode, found.readings, found.notes) == (START, mode, readings, decision.notes)
    state = decision.state
    assert (found.tier, found.since, found.asks, found.move) == (state.tier, state.since, decision.asks, decision.move)
    assert (found.entering, found.leaving, found.jumping) == (state.entering, state.leaving, state.jumping)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=20)
@given(
    st.dictionaries(st.sampled_from(sorted(last_as_json(DECISION, READINGS, Mode.SHADOW, START))), ANY_JSON), ANY_JSON
)
def test_whatever_else_is_kept_there_breaks_nothing(changes: dict[str, Any], other: Any) -> None:
    kept = last_as_json(DECISION, READINGS, Mode.ENFORCE, START) | changes
    for written in (kept, other):
        state = replace(a_state(), counters={LAST: written})
        explain_text(explained(a_standing(state=state)))
