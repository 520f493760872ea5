"""Without a database critical pages leave all the same, once each, and everything is handed in when it is back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.adapters import spool_folder
from alerts.adapters.spool_folder import SpoolFolder
from alerts.delivery.rates import Rates
from alerts.delivery.showing import Shows
from alerts.delivery.spool.daemon import GRACE, Spool, SpoolDaemon
from alerts.delivery.spool.guard import REST, GuardedIntake
from alerts.delivery.spool.model import Left, Shown, from_json, spooled_of, to_json
from alerts.escalation.model import EscalationPolicy, PolicyStep
from alerts.incidents.keeping import Keeper
from alerts.intake import Intake, Received
from alerts.model import AlertsDeclared
from alerts.routing.model import Channel, ChannelKind, Matcher, MatchOperator, Receiver, Route
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.model.incident import AttemptOutcome, IncidentState
from controlplane.ports import HeldLease, Permanent, Transaction, Transient
from tests.alerts.delivery.house import CHAT, HOOK, MAIL, PAGER, House
from tests.alerts.kept_store import NOW
from tests.alerts.snapshots import ALERT

SECOND = timedelta(seconds=1)
SRE = Receiver("sre", (PAGER, CHAT), fallback=(MAIL, HOOK))
LEAD = Receiver("lead", (CHAT,))
PAGES = Route(
    "pages",
    (Matcher("severity", MatchOperator.EQUAL, "page"),),
    receivers=("sre",),
    escalation="p0",
    group_by=("service",),
)
DECLARED = AlertsDeclared(
    root=Route("default", receivers=("lead",), routes=(PAGES,)),
    receivers=(SRE, LEAD),
    policies=(
        EscalationPolicy(
            "p0", (PolicyStep(timedelta(0), ("receiver:sre",)), PolicyStep(timedelta(minutes=5), ("receiver:lead",)))
        ),
    ),
)


def notification(*alerts: Alert, receiver: str = "pages") -> AlertNotification:
    return AlertNotification('{}:{service="gateway"}', receiver, alerts[0].status, alerts)


FIRING = notification(ALERT)
ENDED = notification(replace(ALERT, status=AlertStatus.RESOLVED, ends_at=NOW))


class Bench:
    """A house whose database goes away on command, with a spool."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        house.declared = DECLARED
        self.is_away = False
        self.folder = folder
        self.intake = Intake(self, Keeper(lambda: house.declared))  # type: ignore[arg-type]
        self.open_spool()

    def open_spool(self) -> None:
        """As a process finds it when it starts."""
        self.spool = Spool(SpoolFolder(self.folder), lambda: self.house.declared, console_url="https://flyball.test")
        self.daemon = SpoolDaemon(self.spool, self, self.shows_of, self.intake.receive, random=lambda: 0.0)  # type: ignore[arg-type]

    @contextmanager
    def transaction(self, *, lease: HeldLease | None = None, read_only: bool = False) -> Iterator[Transaction]:
        """The store's, while it is there."""
        if self.is_away:
            raise Transient("the database is away")
        with self.house.store.transaction(lease=lease, read_only=read_only) as transaction:
            yield transaction

    def shows_of(self, channel: Channel) -> Shows | None:
        return self.house.providers[channel.name] if channel.kind is not ChannelKind.CONSOLE else None

    def receive(self, said: AlertNotification) -> bool:
        """What the webhook does; whether it answers 200."""
        try:
            self.intake.receive(said, self.house.now)
        except Transient:
            self.spool.take(said, self.house.now)
            return False
        return True

    def pass_(self, length: timedelta, every: timedelta = SECOND) -> None:
        end = self.house.now + length
        while self.house.now < end:
            self.house.clock.pass_(every)
            self.daemon.run_once(self.house.now)

    def taken(self, channel: Channel) -> list[tuple[str, int]]:
        return self.house.providers[channel.name].taken


@pytest.fixture
def bench(house: House, tmp_path: Path) -> Bench:
    return Bench(house, tmp_path / "spool")


def test_a_critical_page_leaves_while_the_database_is_away_and_only_the_pager_is_needed(bench: Bench) -> None:
    bench.is_away = True
    assert not bench.receive(FIRING)
    bench.pass_(timedelta(minutes=10), 10 * SECOND)
    assert len(bench.taken(PAGER)) == 1
    assert (bench.taken(CHAT), bench.taken(MAIL)) == ([], [])


def test_a_database_that_is_back_at_once_tells_it_itself(bench: Bench) -> None:
    bench.is_away = True
    bench.receive(FIRING)
    bench.is_away = False
    bench.pass_(GRACE - SECOND)
    assert bench.taken(PAGER) == []
    bench.house.run()
    assert len(bench.taken(PAGER)) == 1


def test_when_the_database_is_back_the_incident_is_the_one_that_was_paged(bench: Bench) -> None:
    bench.is_away = True
    bench.receive(FIRING)
    bench.pass_(timedelta(minutes=1), 10 * SECOND)
    bench.is_away = False
    bench.pass_(SECOND)
    assert bench.spool.kept.count() == 0
    with bench.house.store.transaction(read_only=True) as transaction:
        (incident,) = transaction.incidents.open()
        assert transaction.incidents.count_alerts(incident.id) == (1, 1)
    assert [name for name, _ in bench.taken(PAGER)] == [incident.id]
    outside = bench.house.outside(incident.id, PAGER)
    assert outside is not None
    assert (outside.outside_id, outside.told_version) == (incident.id, 0)
    outcomes = [each.outcome for each in bench.house.attempts_of(incident.id)]
    assert outcomes == [AttemptOutcome.SPOOLED]
    bench.house.run()
    assert {name for name, _ in bench.taken(CHAT)} == {incident.id}


def test_what_the_lanes_told_sooner_stays_as_they_told_it(bench: Bench) -> None:
    bench.is_away = True
    bench.receive(FIRING)
    bench.pass_(10 * SECOND)
    bench.is_away = False
    assert bench.receive(FIRING)
    bench.house.run()
    bench.pass_(SECOND)
    (incident,) = {name for name, _ in bench.taken(PAGER)}
    outside = bench.house.outside(incident, PAGER)
    assert outside is not None
    assert outside.told_version == 1
    assert bench.spool.kept.count() == 0


def test_alertmanagers_own_retry_changes_nothing(bench: Bench) -> None:
    bench.is_away = True
    for _ in range(20):
        bench.receive(FIRING)
        bench.pass_(5 * SECOND)
    assert (bench.spool.kept.count(), len(bench.taken(PAGER))) == (1, 1)
    bench.is_away = False
    assert bench.receive(FIRING)
    bench.pass_(SECOND)
    with bench.house.store.transaction(read_only=True) as transaction:
        assert len(transaction.incidents.open()) == 1


def test_what_ended_meanwhile_is_known_afterwards(bench: Bench) -> None:
    bench.is_away = True
    bench.receive(FIRING)
    bench.pass_(10 * SECOND)
    bench.receive(ENDED)
    bench.is_away = False
    bench.pass_(SECOND)
    with bench.house.store.transaction(read_only=True) as transaction:
        (incident,) = transaction.incidents.open()
        assert incident.quiet_since is not None


def test_a_killed_process_pages_nothing_twice_and_forgets_nothing(bench: Bench) -> None:
    bench.is_away = True
    bench.receive(FIRING)
    bench.receive(notification(replace(ALERT, fingerprint="11", labels=ALERT.labels | {"service": "reads"})))
    bench.house.pager.errors = [Transient("503")]
    bench.pass_(GRACE)
    taken = len(bench.taken(PAGER))
    bench.open_spool()
    bench.pass_(10 * SECOND)
    assert (taken, len(bench.taken(PAGER))) == (0, 2)
    bench.open_spool()
    bench.pass_(10 * SECOND)
    assert len(bench.taken(PAGER)) == 2


def test_when_the_pager_is_down_too_the_next_channels_are_taken_in_turn(bench: Bench) -> None:
    bench.is_away = True
    bench.house.pager.down = lambda: Transient("503")
    bench.house.mail.down = lambda: Transient("down")
    bench.receive(FIRING)
    bench.pass_(timedelta(minutes=3), 5 * SECOND)
    assert len(bench.taken(HOOK)) == 1
    bench.house.pager.down = None
    bench.pass_(timedelta(minutes=1), 5 * SECOND)
    assert len(bench.taken(PAGER)) == 1


def test_an_alert_of_an_incident_that_began_before_is_one_page_in_the_end(bench: Bench) -> None:
    assert bench.receive(FIRING)
    bench.house.run()
    later = replace(ALERT, fingerprint="22", starts_at=NOW)
    bench.is_away = True
    bench.receive(notification(later))
    bench.pass_(10 * SECOND)
    assert len(bench.taken(PAGER)) == 2
    bench.is_away = False
    bench.pass_(SECOND)
    with bench.house.store.transaction(read_only=True) as transaction:
        (incident,) = transaction.incidents.open()
        assert transaction.incidents.count_alerts(incident.id) == (2, 2)
    other, closing = bench.taken(PAGER)[1:]
    assert (closing[0], closing[1] - other[1]) == (other[0], 1)
    assert other[0] != incident.id
    assert bench.house.outside(other[0], PAGER) is None


def test_what_is_not_critical_waits_for_alertmanager(bench: Bench) -> None:
    bench.is_away = True
    ticket = replace(ALERT, labels=ALERT.labels | {"severity": "ticket"})
    bench.receive(notification(ticket, receiver="default"))
    bench.receive(ENDED)
    assert bench.spool.kept.count() == 0


def test_without_routes_there_is_nobody_to_page(bench: Bench) -> None:
    bench.house.declared = AlertsDeclared()
    bench.is_away = True
    bench.receive(FIRING)
    assert bench.spool.kept.count() == 0


def test_a_disk_that_is_full_costs_no_answer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_folder, "MOST_FILES", 0)
    bench.is_away = True
    assert not bench.receive(FIRING)


def test_the_page_says_what_the_database_would_have_said(bench: Bench) -> None:
    (page,) = bench.spool.pages(FIRING, NOW)
    assert page.incident.state is IncidentState.OPEN
    assert page.snapshot.page_url == f"https://flyball.test/incidents/{page.incident.id}"
    assert [link.url for link in page.snapshot.runbooks] == ["https://runbooks.test/gateway"]
    (way,) = page.ways
    assert (way.first, way.fallback) == ((PAGER,), (MAIL, HOOK))


def test_whoever_is_on_call_at_once_is_paged_and_later_steps_wait(bench: Bench) -> None:
    quiet = replace(PAGES, receivers=("lead",))
    bench.house.declared = replace(DECLARED, root=replace(DECLARED.root or PAGES, routes=(quiet,)))
    (page,) = bench.spool.pages(FIRING, NOW)
    assert page.incident.receivers == ("lead", "sre")


def test_the_rate_of_a_pager_is_kept_from_the_spool_too(bench: Bench) -> None:
    rates = Rates(bench.house.clock.now)
    until = rates.of(PAGER).hold(bench.house.now + 30 * SECOND)
    from alerts.ports import RateLimited

    bench.house.pager.errors = [RateLimited("429", until)]
    bench.is_away = True
    bench.receive(FIRING)
    bench.pass_(GRACE + 20 * SECOND)
    assert bench.house.pager.calls == 1


def test_a_folder_keeps_what_is_whole_and_puts_the_rest_aside(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path / "new" / "spool")
    first, second = spooled_of(FIRING, NOW + SECOND), spooled_of(ENDED, NOW)
    folder.put(first)
    folder.put(second)
    (tmp_path / "new" / "spool" / "torn.json").write_text('{"id": "x", "al')
    (tmp_path / "new" / "spool" / "half.part").write_text("{")
    again = SpoolFolder(tmp_path / "new" / "spool")
    assert list(again.all()) == [second, first]
    assert (tmp_path / "new" / "spool" / "torn.broken").exists()
    again.forget(first.id)
    again.forget("nobody")
    assert SpoolFolder(tmp_path / "new" / "spool").count() == 1
    assert {each.stat().st_mode & 0o777 for each in (tmp_path / "new" / "spool").glob("*.json")} == {0o600}


def test_a_folder_takes_no_more_than_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_folder, "MOST_FILES", 1)
    folder = SpoolFolder(tmp_path)
    folder.put(spooled_of(FIRING, NOW))
    folder.put(spooled_of(FIRING, NOW))
    with pytest.raises(Permanent, match="takes no more"):
        folder.put(spooled_of(ENDED, NOW))
    monkeypatch.setattr(spool_folder, "MOST_BYTES", 10)
    with pytest.raises(Permanent, match="too large"):
        folder.put(spooled_of(FIRING, NOW))


def test_a_disk_that_takes_nothing_holds_up_no_page_and_makes_none_twice(bench: Bench) -> None:
    bench.folder.write_text("a file is where the folder should be")
    bench.is_away = True
    assert not bench.receive(FIRING)
    bench.pass_(timedelta(minutes=1), 5 * SECOND)
    assert len(bench.taken(PAGER)) == 1
    bench.is_away = False
    bench.pass_(SECOND)
    bench.house.run()
    (incident,) = {name for name, _ in bench.taken(PAGER)}
    assert bench.house.outside(incident, PAGER) is not None
    assert bench.spool.kept.count() == 0


def test_what_the_database_refuses_for_good_holds_up_nothing_else(bench: Bench) -> None:
    other = notification(replace(ALERT, fingerprint="11", labels=ALERT.labels | {"service": "reads"}))
    take = bench.daemon._hand_in

    def refusing(said: AlertNotification, now: datetime) -> object:
        if said == FIRING:
            raise Permanent("it is not what the database keeps")
        return take(said, now)

    bench.daemon._hand_in = refusing
    bench.is_away = True
    bench.receive(FIRING)
    bench.receive(other)
    bench.pass_(10 * SECOND)
    bench.is_away = False
    bench.pass_(2 * SECOND)
    assert [each.notification for each in bench.spool.kept.all()] == [FIRING]
    with bench.house.store.transaction(read_only=True) as transaction:
        (incident,) = transaction.incidents.open()
        assert transaction.telling.object_of(incident.id, PAGER.name) is not None
    assert len(bench.taken(PAGER)) == 2


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(_TEXT, _TEXT), _TEXT, st.booleans(), st.dictionaries(_TEXT, _TEXT | st.integers()))
def test_what_is_spooled_travels_unharmed(
    labels: dict[str, str], text: str, is_closed: bool, data: dict[str, Any]
) -> None:
    spooled = spooled_of(notification(replace(ALERT, labels=labels, annotations={"a": text}), receiver=text), NOW)
    spooled = spooled.with_left(Left(text, text, NOW, Shown(text, text, text, is_closed, not is_closed, data)))
    assert from_json(to_json(spooled)) == spooled


@pytest.mark.parametrize("broken", [{}, {"alerts": 3, "left": []}, to_json(spooled_of(FIRING, NOW)) | {"left": [1]}])
def test_what_is_not_spooled_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        from_json(broken)


def test_a_database_that_hangs_is_not_asked_for_every_delivery(bench: Bench) -> None:
    asked = []

    def hang(said: AlertNotification, now: datetime) -> Received:
        asked.append(now)
        bench.house.clock.pass_(10 * SECOND)
        raise Transient("timeout")

    guarded = GuardedIntake(hang, bench.house.clock.now)
    for _ in range(50):
        with pytest.raises(Transient):
            guarded.receive(FIRING, bench.house.now)
    assert len(asked) == 1
    bench.house.clock.pass_(REST)
    with pytest.raises(Transient):
        guarded.receive(FIRING, bench.house.now)
    assert len(asked) == 2


def test_a_database_that_refuses_at_once_is_asked_each_time_and_takes_what_it_can(bench: Bench) -> None:
    guarded = GuardedIntake(bench.intake.receive, bench.house.clock.now)
    bench.is_away = True
    with pytest.raises(Transient):
        guarded.receive(FIRING, bench.house.now)
    bench.is_away = False
    assert guarded.receive(FIRING, bench.house.now).fired == 1
