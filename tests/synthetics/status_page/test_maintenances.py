"""Planned work from the file and from people: told, begun, ended, called off, and what it does to uptime."""

from dataclasses import replace

from controlplane.model.check import VerdictKind
from controlplane.model.public_status import ComponentStatus, Correction, Impact, IncidentStatus, PublicSnapshot
from controlplane.store import SqlStore
from synthetics.status_page import corrections
from synthetics.status_page.desk import Desk
from synthetics.status_page.model import DeclaredCorrection, Maintenance
from synthetics.status_page.posting import Posting, approve, post
from synthetics.status_page.snapshot import snapshot
from tests.synthetics.status_page.paging import DAY, DRAFTING, HOUR, MINUTE, NOW, World, a_page

WORK = Maintenance("db", "New database", NOW + 2 * DAY, HOUR, ("api",), announce=DAY)


def seen(world: World) -> PublicSnapshot:
    with world.reading() as transaction:
        return snapshot(world.page, transaction, world.now)


def updates(world: World) -> list[str]:
    return [update.status.value for each in seen(world).maintenances for update in reversed(each.updates)]


def test_planned_work_is_told_in_time_begins_and_ends_by_the_clock(store: SqlStore) -> None:
    world = World(store, a_page(DRAFTING, maintenances=(WORK,)))
    world.turn()
    assert seen(world).maintenances == ()
    world.turn(DAY + MINUTE)
    (planned,) = seen(world).maintenances
    assert (planned.status, planned.scheduled_for, planned.scheduled_until) == (
        IncidentStatus.SCHEDULED, NOW + 2 * DAY, NOW + 2 * DAY + HOUR,
    )  # fmt: skip
    assert seen(world).components[0].status is ComponentStatus.OPERATIONAL
    world.turn(DAY)
    world.gateway = VerdictKind.GLOBAL
    for _ in range(12):
        world.turn(2 * MINUTE)
    shown = seen(world)
    assert shown.components[0].status is ComponentStatus.UNDER_MAINTENANCE
    assert (shown.incidents, shown.indicator) == ((), Impact.MAINTENANCE)
    uptime = shown.components[0].uptime
    assert uptime is not None
    assert uptime.days[-1].excluded_seconds == 24 * 60
    assert uptime.days[-1].ratio == 1 or uptime.days[-1].ratio is None
    world.gateway = VerdictKind.UP
    world.turn(HOUR)
    assert updates(world) == ["scheduled", "in_progress", "completed"]
    assert seen(world).components[0].status is ComponentStatus.OPERATIONAL


def test_work_that_leaves_the_file_is_called_off(store: SqlStore) -> None:
    world = World(store, a_page(maintenances=(replace(WORK, announce=7 * DAY),)))
    world.turn()
    world.page = a_page()
    world.turn(MINUTE)
    (gone,) = seen(world).maintenances
    assert gone.status is IncidentStatus.COMPLETED
    assert "called off" in gone.updates[0].body
    world.turn(3 * DAY)
    assert updates(world) == ["scheduled", "completed"]


def test_work_that_the_file_tells_differently_is_told_anew_until_it_begins(store: SqlStore) -> None:
    first = replace(WORK, announce=7 * DAY, body="See https://shop.example/news")
    world = World(store, a_page(maintenances=(first,)))
    world.turn()
    world.turn(MINUTE)
    assert [each.body for each in seen(world).maintenances[0].updates] == ["See https://shop.example/news"]
    longer = replace(
        first, title="Newer database", length=2 * HOUR, components=("api", "login"), body="It takes longer."
    )
    world.page = a_page(maintenances=(longer,))
    world.turn(MINUTE)
    world.turn(MINUTE)
    (planned,) = seen(world).maintenances
    assert (planned.name, planned.scheduled_until) == ("Newer database", NOW + 2 * DAY + 2 * HOUR)
    assert planned.component_ids == ("api", "login")
    assert [each.body for each in planned.updates] == ["It takes longer.", "See https://shop.example/news"]
    with store.transaction() as transaction:
        Desk(world.page, transaction, world.now).edit(planned.updates[0].id, "It takes two hours.", "ann")
    world.turn(MINUTE)
    assert len(seen(world).maintenances[0].updates) == 2
    world.turn(2 * DAY)
    world.page = a_page(maintenances=(replace(longer, length=9 * HOUR),))
    world.turn(MINUTE)
    assert seen(world).maintenances[0].scheduled_until == NOW + 2 * DAY + 2 * HOUR


def test_work_that_comes_into_the_file_too_late_is_told_but_excludes_nothing(store: SqlStore) -> None:
    world = World(store, a_page(DRAFTING, maintenances=(replace(WORK, start=NOW - 10 * MINUTE),)))
    world.gateway = VerdictKind.GLOBAL
    world.turn()
    world.turn(2 * MINUTE)
    shown = seen(world)
    assert updates(world) == ["scheduled", "in_progress"]
    assert shown.components[0].status is ComponentStatus.MAJOR
    assert shown.components[0].uptime is not None
    assert shown.components[0].uptime.days[-1].excluded_seconds == 0


def test_recurring_work_is_told_each_time(store: SqlStore) -> None:
    weekly = replace(WORK, start=NOW - 20 * DAY + HOUR, rrule="FREQ=DAILY;INTERVAL=2", announce=3 * DAY)
    world = World(store, a_page(maintenances=(weekly,)))
    world.turn()
    assert [each.scheduled_for for each in seen(world).maintenances] == [NOW + 2 * DAY + HOUR, NOW + HOUR]


def test_people_announce_work_too_and_their_approval_covers_its_begin_and_end(store: SqlStore) -> None:
    world = World(store, a_page(DRAFTING))
    world.turn()
    wanted = {"api": ComponentStatus.UNDER_MAINTENANCE}
    posting = Posting(
        "Short.", "ann", IncidentStatus.SCHEDULED, "DB", components=wanted, planned=(NOW + HOUR, NOW + 2 * HOUR)
    )
    with store.transaction() as transaction:
        draft = post(world.page, transaction, posting, NOW, publish=False)
    world.turn(MINUTE)
    assert seen(world).maintenances == ()
    with store.transaction() as transaction:
        approve(world.page, transaction, draft.update.id, "bob", NOW + MINUTE)
    world.turn(HOUR)
    assert updates(world) == ["scheduled", "in_progress"]
    world.turn(HOUR)
    assert updates(world) == ["scheduled", "in_progress", "completed"]


def test_corrections_of_the_file_count_from_the_moment_they_are_seen_and_leave_with_it(store: SqlStore) -> None:
    declared = DeclaredCorrection("api", NOW - HOUR, NOW, ComponentStatus.PARTIAL, "probes did not see it")
    world = World(store, a_page(corrections=(declared,)))
    world.turn()
    world.turn(MINUTE)
    uptime = seen(world).components[0].uptime
    assert uptime is not None
    (correction,) = uptime.corrections
    assert (correction.declared_at, correction.reason) == (NOW, "probes did not see it")
    assert uptime.days[-1].corrected_seconds == 3600
    world.page = a_page()
    world.turn(MINUTE)
    uptime = seen(world).components[0].uptime
    assert uptime is not None
    assert uptime.corrections == ()
    with world.reading() as transaction:
        actions = [entry.action for entry in transaction.audit.entries()]
    assert actions == ["status.correction_declared", "status.correction_withdrawn"]


def test_a_correction_by_hand_can_be_taken_back(store: SqlStore) -> None:
    page = a_page()
    correction = Correction(NOW - HOUR, NOW, ComponentStatus.UNKNOWN, "the prober was at fault", NOW)
    with store.transaction() as transaction:
        made = corrections.correct(page, transaction, component="api", correction=correction, by="ann", now=NOW)
        assert corrections.withdraw(page, transaction, made.id, by="bob", now=NOW) is not None
        assert corrections.withdraw(page, transaction, made.id, by="bob", now=NOW) is None
        entries = transaction.audit.entries()
    assert [(each.actor, each.action) for each in entries] == [
        ("ann", "status.correction_declared"),
        ("bob", "status.correction_withdrawn"),
    ]
