"""What every notifier does: nothing twice, each step written down before the next."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from alerts.delivery.showing import Showing, Shown
from alerts.model import Snapshot
from alerts.telling import message_of
from controlplane.model.incident import OutsideObject
from controlplane.ports import LeaseLost, Transient
from tests.alerts.delivery.house import MAIL, House
from tests.alerts.snapshots import INCIDENT, resolved

MESSAGE = message_of(INCIDENT, MAIL.name)


def test_each_step_is_written_down_before_the_next_one(house: House) -> None:
    house.open()
    seen: list[tuple[str, int] | None] = []

    def show(snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        for name in ("first", "second"):
            yield Shown(name, is_whole=name == "second")
            there = house.outside("i1", MAIL)
            seen.append((there.outside_id, there.told_version) if there else None)

    house.showing.deliver(MESSAGE, MAIL.name, show)
    assert seen == [("first", 0), ("second", 1)]


def test_a_step_that_fails_leaves_what_came_before_it(house: House) -> None:
    house.open()
    found: list[OutsideObject | None] = []

    def show(snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        found.append(outside)
        if outside is None:
            yield Shown("opened", is_whole=False, data={"step": 1})
            raise Transient("503")
        yield Shown(outside.outside_id)

    with pytest.raises(Transient):
        house.showing.deliver(MESSAGE, MAIL.name, show)
    house.clock.pass_(timedelta(seconds=5))
    house.showing.deliver(MESSAGE, MAIL.name, show)
    there = house.outside("i1", MAIL)
    assert there is not None
    assert (found[1] and found[1].data, there.outside_id, there.told_version) == ({"step": 1}, "opened", 1)
    assert there.updated_at - there.opened_at == timedelta(seconds=5)


def test_what_is_shown_is_not_shown_again_until_it_must_be_closed(house: House) -> None:
    incident = house.open()
    calls: list[int] = []

    def show(snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        calls.append(snapshot.incident.version)
        yield Shown("x", is_closed=len(calls) == 3)

    for _ in range(2):
        house.showing.deliver(MESSAGE, MAIL.name, show)
    house.tell(resolved(incident), MAIL)
    for _ in range(3):
        house.showing.deliver(MESSAGE, MAIL.name, show)
    assert calls == [1, 2, 2]


def test_who_leads_no_more_writes_nothing_down(house: House) -> None:
    house.open()

    def lost() -> None:
        raise LeaseLost("a does not lead")

    it = Showing(house.store, house, now=house.clock.now, lease=lost)
    with pytest.raises(LeaseLost):
        it.deliver(MESSAGE, MAIL.name, lambda snapshot, outside: iter([Shown("x")]))
    assert house.outside("i1", MAIL) is None
