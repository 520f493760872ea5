"""What people may ask of a ladder, on a store in a file."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.model.event import JSON
from controlplane.model.ladder import AppliedTier, ApprovalScope, LadderState, OrderKind
from controlplane.store import SqlStore, migrate, open_store
from finops.ladder import orders
from finops.ladder.model import Emergency, Mode
from finops.ladder.orders import Refused, Target, Who
from tests.finops.ladder.controller.building import DAY, HOUR, MINUTE, START, a_ladder, a_tier

LADDER = replace(
    a_ladder(a_tier(1), a_tier(2, needs_approval=True), a_tier(3)), emergency=Emergency(3, (), 3)
)  # fmt: skip
SHOP = Target("shop", LADDER)
ANN = Who("ann", "  INC-812,\n twice ", START)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('orders')}/state.db"
    migrate(url)
    return url


@pytest.fixture
def store(database: str, tmp_path: Path) -> Iterator[SqlStore]:
    """Each test finds the tables empty: it works on a copy of the file."""
    copy = tmp_path / "state.db"
    copy.write_bytes(Path(database.removeprefix("sqlite:///")).read_bytes())
    opened = open_store(f"sqlite:///{copy}")
    yield opened
    opened.close()


def stands(store: SqlStore, tier: int, theirs: dict[str, bool | int | str] | None = None, name: str = "shop") -> None:
    applied = tuple(AppliedTier(number, START, f"s{number}", ()) for number in range(1, tier + 1))
    with store.transaction() as transaction:
        transaction.ladders.put_state(LadderState(name, applied, {}, START, theirs=theirs))


def audited(store: SqlStore) -> list[tuple[str, str, str, dict[str, JSON]]]:
    with store.transaction(read_only=True) as transaction:
        assert transaction.audit.verify() is None
        return [(each.actor, each.action, each.subject, dict(each.detail)) for each in transaction.audit.entries()]


def refused(what: str, ask: Callable[[], object]) -> None:
    with pytest.raises(Refused, match=what):
        ask()


def approve(store: SqlStore, approval: str = "a1", tier: int = 2, until: timedelta = HOUR, **more: object) -> None:
    scope = more.get("scope", ApprovalScope.STEP)
    assert isinstance(scope, ApprovalScope)
    orders.approve(store, SHOP, ANN, approval=approval, tier=tier, scope=scope, until=START + until)


def test_an_order_and_who_gave_it_are_written_down_together(store: SqlStore) -> None:
    made = orders.order_step(store, SHOP, ANN, order="o1", to=1)
    assert (made.kind, made.argument, made.by, made.why, made.at) == (OrderKind.STEP, 1, "ann", "INC-812, twice", START)
    with store.transaction(read_only=True) as transaction:
        assert transaction.ladders.open_orders("shop") == [made]
    assert audited(store) == [
        ("ann", "ladder.step_ordered", "shop", {"reason": "INC-812, twice", "order": "o1", "kind": "step", "to": 1})
    ]


def test_what_cannot_be_done_is_refused_in_words_and_leaves_nothing(store: SqlStore) -> None:
    def step(to: int, target: Target = SHOP) -> Callable[[], object]:
        return lambda: orders.order_step(store, target, ANN, order="o1", to=to)

    shadow = Target("shop", replace(LADDER, mode=Mode.SHADOW))
    refused(r"no tier 4: it goes from 0, full service, to 3", step(4))
    refused(r"no tier -1", step(-1))
    refused(r"at tier 0 already", step(0))
    refused(r"shadow mode, which changes no flag", step(1, shadow))
    refused(r"tier 2 needs an approval: flyball ladder approve shop --tier 2", step(3))
    stands(store, 1, {"depth": 2})
    refused(r"people changed depth.*--keep-theirs, or --take-back", step(0))
    refused(r"no tier 2: it goes from 0, full service, to 1", step(2, Target("shop", None)))
    refused(r"a drill goes up", lambda: orders.order_drill(store, SHOP, ANN, order="o1", to=1))
    refused("say why", lambda: Who("ann", " \n", START))
    refused("characters", lambda: Who("ann", "\ud800", START))
    assert audited(store) == []


def test_one_order_at_a_time_and_one_that_waits_may_be_withdrawn(store: SqlStore) -> None:
    approve(store)
    first = orders.order_drill(store, SHOP, ANN, order="o1", to=3)
    refused(
        "order o1 of ann .drill. is not done yet: flyball ladder step --withdraw o1",
        lambda: orders.order_step(store, SHOP, ANN, order="o2", to=1),
    )
    gone = orders.withdraw_order(store, "o1", Who("bob", "not today", START))
    assert (gone.is_done_well, gone.done_at, gone.result) == (False, START, "withdrawn by bob: not today")
    refused("no order o1 waits", lambda: orders.withdraw_order(store, "o1", ANN))
    with store.transaction() as transaction:
        transaction.ladders.put_order(replace(first, id="o3", begun_at=START))
    refused("o3 was begun.*flyball ladder hold shop", lambda: orders.withdraw_order(store, "o3", ANN))
    assert [entry[1] for entry in audited(store)][1:] == ["ladder.drill_ordered", "ladder.order_withdrawn"]


def test_a_ladder_in_force_goes_down_in_shadow_mode_and_without_its_file(store: SqlStore) -> None:
    stands(store, 3)
    orders.order_step(store, Target("shop", replace(LADDER, mode=Mode.SHADOW)), ANN, order="o1", to=0)
    orders.withdraw_order(store, "o1", ANN)
    orders.order_step(store, Target("shop", None), ANN, order="o2", to=2)


def test_approvals_are_for_one_tier_one_thing_and_a_time(store: SqlStore) -> None:
    approve(store)
    for until, what in ((timedelta(0), "is over"), (DAY + MINUTE, "at most 1 d")):
        refused(what, lambda until=until: approve(store, "a2", 1, until))  # type: ignore[misc]
    refused("no tier 4: its tiers are 1 to 3", lambda: approve(store, "a2", 4))
    refused("jumps only to tier 3", lambda: approve(store, "a2", 1, scope=ApprovalScope.JUMP))
    refused("only a tier in force", lambda: approve(store, "a2", 1, scope=ApprovalScope.EXTEND))
    refused("approved by ann until.*--withdraw a1", lambda: approve(store, "a2"))
    approve(store, "a3", 3, DAY, scope=ApprovalScope.JUMP)
    stands(store, 1)
    approve(store, "a4", 1, 7 * DAY, scope=ApprovalScope.EXTEND)
    orders.withdraw(store, "a1", ANN)
    refused("a1 is withdrawn already", lambda: orders.withdraw(store, "a1", ANN))
    refused("no approval a9", lambda: orders.withdraw(store, "a9", ANN))
    approve(store, "a5")
    with store.transaction(read_only=True) as transaction:
        valid = [each.id for each in transaction.ladders.approvals("shop") if each.is_valid(START)]
    assert valid == ["a3", "a4", "a5"]
    about = {"approval": "a1", "tier": 2, "scope": "step", "until": "2026-11-02T13:00:00+00:00"}
    assert audited(store)[0] == ("ann", "ladder.approved", "shop", {"reason": "INC-812, twice", **about})


def test_an_approval_to_jump_or_to_stay_is_none_for_a_step(store: SqlStore) -> None:
    approve(store, "a1", 3, scope=ApprovalScope.JUMP)
    refused("tier 2 needs an approval", lambda: orders.order_step(store, SHOP, ANN, order="o1", to=3))
    approve(store, "a2")
    orders.order_step(store, SHOP, ANN, order="o1", to=3)


def test_a_hold_is_lifted_and_flags_of_people_need_a_word(store: SqlStore) -> None:
    def resume(choice: OrderKind | None = None, order: str = "o1") -> orders.Resumed:
        return orders.resume(store, SHOP, ANN, order=order, choice=choice)

    refused("nothing holds shop", resume)
    refused("is over", lambda: orders.hold(store, SHOP, ANN, until=START))
    made = orders.hold(store, SHOP, ANN, until=START + HOUR)
    assert resume() == orders.Resumed(made, None)
    refused("no flag of shop", lambda: resume(OrderKind.KEEP_THEIRS))
    stands(store, 1, {"depth": 2})
    refused("people changed depth", resume)
    done = resume(OrderKind.TAKE_BACK)
    assert done.order is not None
    assert (done.lifted, done.order.kind, done.order.argument) == (None, OrderKind.TAKE_BACK, None)
    refused("take-back. is not done yet", lambda: resume(OrderKind.KEEP_THEIRS, "o2"))
    assert [entry[1] for entry in audited(store)] == [
        "ladder.held", "ladder.resumed", "ladder.resumed", "ladder.choice_ordered",
    ]  # fmt: skip
