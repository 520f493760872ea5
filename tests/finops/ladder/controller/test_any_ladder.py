"""Whatever the world does: a state machine walks a ladder through odd samples, odd clocks and people."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from controlplane.model.ladder import Approval, ApprovalScope, LadderHold, StepCause
from finops.ladder.controller import (
    decide,
    explained,
    failed,
    initial,
    moved,
    state_as_json,
    state_from_json,
)
from finops.ladder.deciding import ControllerState, Given, Move
from finops.ladder.model import Growth, Ladder, Mode
from finops.ladder.readings import Quality, Reading, Readings
from tests.finops.ladder.controller.building import (
    CONTRADICTORY,
    DAY,
    MINUTE,
    MISSING,
    START,
    a_brake,
    a_ladder,
    a_tier,
    an_emergency,
    readings,
)
from tests.finops.ladder.controller.oracle import Seen, broken, unearned

_WEATHER: Final[dict[str, dict[str, Any]]] = {
    "calm": {"burn": "0.1"},
    "fair": {"burn": "1.9", "forecast": "1.05"},
    "warm": {"burn": "2.5"},
    "hot": {"burn": "9", "forecast": "1.3"},
    "emergency": {"burn": "9", "spike": "12", "infra": "10"},
    "emergency from calm": {"spike": "12", "infra": "10"},
    "growth": {"burn": "9", "cost": "0.9"},
    "braked": {"burn": "9", "gateway": "0"},
    "contradiction": {"burn": "0.1", "forecast": "1.35"},
}
_FIGURES = st.sampled_from(["0", "0.5", "1.1", "1.2", "1.3", "2", "3.1", "4", "5", "6", "7", "10", "12"])
_ODD = st.sampled_from([MISSING, CONTRADICTORY, Reading(Quality.STALE), Reading(Quality.GOOD, Decimal("NaN")), None])
_SIGNALS = ("burn", "forecast", "spike", "infra", "cost", "gateway")


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Ladders with thresholds of ours, and any times and limits."""
    minutes = st.sampled_from([0, 1, 3, 10]).map(lambda many: many * MINUTE)
    tiers = [
        a_tier(
            number,
            enter_samples=draw(st.integers(1, 3)),
            exit_samples=draw(st.integers(1, 4)),
            dwell=draw(minutes),
            needs_approval=draw(st.sampled_from([False, False, True])),
            expires_after=draw(st.sampled_from([None, None, 5 * MINUTE, 30 * MINUTE])),
            saving=draw(st.sampled_from(["0", "1", "-2"])),
        )
        for number in range(1, draw(st.integers(1, 4)) + 1)
    ]
    return a_ladder(
        *tiers,
        mode=draw(st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.SHADOW, Mode.RECOMMEND])),
        stale_after=draw(st.sampled_from([MINUTE, 5 * MINUTE])),
        brakes=draw(st.sampled_from([(), (a_brake(1),), (a_brake(2, releases=True),)])),
        growth=draw(st.sampled_from([None, Growth("cost", Decimal("1.05"))])),
        emergency=draw(st.sampled_from([None, an_emergency(len(tiers), 2)])),
        changes_per_day=draw(st.sampled_from([1, 2, 5, 12])),
        cool_down=draw(minutes),
        retry_after=draw(st.sampled_from([MINUTE, 4 * MINUTE])),
    )


class AnyLadder(RuleBasedStateMachine):
    """Never two tiers at once, never on bad data, never past a person; and back to full service when it is calm."""

    ladder: Ladder
    state: ControllerState
    now: datetime

    @initialize(ladder=ladders())
    def begin(self, ladder: Ladder) -> None:
        self.ladder, self.now = ladder, START
        self.state = initial(ladder, START)
        self.turns: list[Seen] = []
        self.ended: list[datetime] = []
        self.approvals: list[Approval] = []
        self.figures: dict[str, Any] = {}
        self.latest = START

    @rule(
        weather=st.sampled_from(sorted(_WEATHER)),
        figures=st.dictionaries(st.sampled_from(_SIGNALS), _FIGURES, max_size=1),
        odd=st.none() | st.none() | st.tuples(st.sampled_from(_SIGNALS), _ODD),
        rates=st.dictionaries(st.sampled_from(["burn", "forecast"]), st.sampled_from(["0", "0.5", "2"])),
        times=st.integers(2, 8),
        fails=st.sampled_from([False, False, True]),
    )
    def samples(
        self, weather: str, figures: dict[str, Any], odd: Any, rates: dict[str, str], times: int, *, fails: bool
    ) -> None:
        self.figures = _WEATHER[weather] | figures | ({odd[0]: odd[1]} if odd else {})
        for _ in range(times):
            self.now += self.ladder.every
            self.turn(readings(self.now, per_hour=rates, **self.figures), fails=fails)

    @rule(by=st.sampled_from([-30, -1, 0, 1, 2, 6, 20, 31]).map(lambda many: many * MINUTE))
    def time_passes(self, by: timedelta) -> None:
        self.now += by
        self.turn(readings(self.now, **self.figures))

    @rule(age=st.sampled_from([-1, 1, 4, 9]).map(lambda many: many * MINUTE))
    def an_old_sample_comes_again(self, age: timedelta) -> None:
        self.turn(readings(self.now - age, **self.figures))

    @rule(
        scope=st.sampled_from(ApprovalScope), off=st.sampled_from([0, 0, 0, -1, 1]), minutes=st.sampled_from([1, 600])
    )
    def somebody_approves(self, scope: ApprovalScope, off: int, minutes: int) -> None:
        tier = {
            ApprovalScope.STEP: self.state.tier + 1,
            ApprovalScope.JUMP: self.ladder.top,
            ApprovalScope.EXTEND: self.state.tier,
        }[scope] + off
        until = self.now + minutes * MINUTE
        name = f"approval-{len(self.turns)}-{len(self.approvals)}"
        self.approvals.append(Approval(name, "intelgraph", tier, scope, "ann", "why", self.now, until))

    @rule(fails=st.booleans(), gateway=st.sampled_from(["1", "0"]))
    def an_emergency_is_confirmed(self, gateway: str, *, fails: bool) -> None:
        for _ in range(3):
            self.somebody_approves(ApprovalScope.JUMP, 0, 10)
            self.figures = _WEATHER["emergency"] | {"gateway": gateway}
            self.now += self.ladder.every
            self.turn(readings(self.now, **self.figures), fails=fails)

    @rule(what=st.sampled_from(["is_killed", "theirs", "is_stepping", "hold"]))
    def something_stops_it(self, what: str) -> None:
        given: dict[str, Any] = {
            "is_killed": True,
            "theirs": ("flag",),
            "is_stepping": True,
            "hold": LadderHold("intelgraph", "bob", "", self.now, None),
        }
        self.now += self.ladder.every
        self.turn(readings(self.now, **self.figures), **{what: given[what]})

    @rule(tier=st.integers(0, 4))
    def somebody_steps(self, tier: int) -> None:
        if tier <= self.ladder.top and tier != self.state.tier:
            move = Move(self.state.tier, tier, StepCause.PERSON, "")
            self.state = moved(self.ladder, self.state, move, self.now)
            self.ended.append(self.now)
            self.latest = max(self.latest, self.now)
            self.turns.clear()

    @rule()
    def it_is_restarted(self) -> None:
        restored = state_from_json(state_as_json(self.state), ControllerState(), tier=self.state.tier)
        assert (restored.state, restored.problem) == (self.state, "")

    def turn(self, sample: Readings, *, fails: bool = False, **more: Any) -> None:
        given = Given(sample, tuple(self.approvals), **more)
        decision = decide(self.ladder, self.state, given, self.now)
        assert broken(self.ladder, self.state, given, self.now, decision) == []
        self.turns.append(Seen(self.state, given, self.now, decision))
        assert unearned(self.ladder, self.turns) == []
        explained(self.ladder, self.state, sample, self.now)
        self.state = decision.state
        self.latest = max(self.latest, self.now)
        if decision.move is not None:
            ended = failed if fails else moved
            self.state = ended(self.ladder, self.state, decision.move, self.now)
            self.approvals = [each for each in self.approvals if each.id != decision.move.approval]
            self.ended.append(self.now)

    @invariant()
    def it_stands_on_exactly_one_tier(self) -> None:
        if hasattr(self, "state"):
            assert set(self.state.entered) == set(range(1, self.state.tier + 1))
            assert 0 <= self.state.tier <= self.ladder.top

    @invariant()
    def every_move_is_remembered_for_a_day(self) -> None:
        if hasattr(self, "state") and self.ended == sorted(self.ended):  # otherwise its clock was set
            recent = [at for at in self.ended if self.latest - at < DAY]
            assert [at for at in self.state.moves if self.latest - at < DAY] == recent

    def teardown(self) -> None:
        """Calm brings it back to full service: time suffices, without any person or luck."""
        if not hasattr(self, "state"):
            return
        self.approvals = []
        longest = 16 * self.ladder.limits.retry_after + DAY + 31 * MINUTE
        self.now = max(self.now, *filter(None, (self.state.sampled_at, self.state.since, *self.state.moves, START)))
        end = self.now + longest * (self.ladder.top + 1)
        while self.state.tier and self.now < end:
            moves = len(self.ended)
            for _ in range(5):
                self.now += self.ladder.every
                self.turn(readings(self.now, burn="0.1"))
            if len(self.ended) == moves:
                self.now += 120 * MINUTE  # nothing happens until some time is over
        assert self.state.tier == 0


TestAnyLadder = AnyLadder.TestCase
TestAnyLadder.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
