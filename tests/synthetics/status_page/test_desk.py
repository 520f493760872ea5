"""Whatever people do at the desk, in any order: the public sees only what it may."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from controlplane.check_names import EVENT_STATUS_UPDATE
from controlplane.model.public_status import Impact, IncidentStatus
from controlplane.model.status_record import (
    Channel,
    IncidentRecord,
    Origin,
    Subscriber,
    SubscriberState,
    UpdateRecord,
    UpdateState,
)
from controlplane.store import SqlStore, migrate, open_store
from synthetics.status_page.desk import Beginning, Desk, Message, Refused
from synthetics.status_page.incidents import may_follow
from synthetics.status_page.model import IncidentPolicy, StatusPage
from synthetics.status_page.snapshot import snapshot
from tests.synthetics.status_page.paging import DAY, DRAFTING, HOUR, MINUTE, NOW, PUBLISHING, SECOND, a_page

_PAGES: Iterator[int] = count(1)
SEQUENCES = st.integers(0, 30)
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


class DeskMachine(RuleBasedStateMachine):
    """One page, three incidents at most (the third a maintenance), everything that can be done at the desk."""

    store: SqlStore

    @initialize(policy=st.sampled_from([DRAFTING, PUBLISHING]))
    def open(self, policy: IncidentPolicy) -> None:
        self.page: StatusPage = a_page(policy, name=f"page{next(_PAGES)}")
        self.now = NOW
        self.incidents: list[IncidentRecord] = []
        self.seen: dict[str, str] = {}
        self.bodies = 0
        with self.store.transaction() as transaction:
            earlier = transaction.events.after(0, 1_000_000)
            self.before = earlier[-1].sequence if earlier else 0
            transaction.status.put_subscriber(
                Subscriber(
                    self.page.name, "s1", Channel.WEBHOOK, "https://x.example", SubscriberState.ACTIVE, "n", "h",
                    NOW, NOW, NOW,
                )
            )  # fmt: skip
        for is_planned in (False, False, True):
            planned = (NOW + HOUR, NOW + 2 * HOUR) if is_planned else None
            beginning = Beginning(f"it {len(self.incidents)}", Origin.MANUAL, Impact.MINOR, ("api",), NOW, planned)
            self.at_desk(lambda desk, beginning=beginning: self.incidents.append(desk.begin(beginning)))

    def at_desk(self, act: object) -> None:
        try:
            with self.store.transaction() as transaction:
                act(Desk(self.page, transaction, self.now))  # type: ignore[operator]
        except Refused:
            return

    def updates(self, incident: IncidentRecord | None = None) -> list[UpdateRecord]:
        ids = [incident.id] if incident else [each.id for each in self.incidents]
        with self.store.transaction(read_only=True) as transaction:
            return transaction.status.updates(self.page.name, ids)

    def chosen(self, number: int) -> str:
        found = self.updates()
        return found[number % len(found)].id if found else "none"

    @rule(number=st.integers(0, 2), status=st.sampled_from(IncidentStatus), marked=st.booleans())
    def draft(self, number: int, status: IncidentStatus, marked: bool) -> None:
        self.bodies += 1
        message = Message(
            status, f"text{self.bodies}x. Next: {{next}}.", "ann", mark=f"m{self.bodies}" if marked else ""
        )

        def act(desk: Desk) -> None:
            incident = desk._log.incident(self.page.name, self.incidents[number].id)
            assert incident is not None
            desk.draft(incident, message)

        self.at_desk(act)

    @rule(number=SEQUENCES, by=st.sampled_from(["", "bob"]))
    def approve(self, number: int, by: str) -> None:
        self.at_desk(lambda desk: desk.approve(self.chosen(number), by))

    @rule(number=SEQUENCES)
    def publish(self, number: int) -> None:
        self.at_desk(lambda desk: desk.publish(self.chosen(number), "bob"))

    @rule(number=SEQUENCES)
    def approve_and_publish(self, number: int) -> None:
        chosen = self.chosen(number)
        self.at_desk(lambda desk: desk.approve(chosen, "bob") and desk.publish(chosen, "bob"))

    @rule(number=SEQUENCES)
    def discard(self, number: int) -> None:
        self.at_desk(lambda desk: desk.discard(self.chosen(number), "bob"))

    @rule(number=SEQUENCES)
    def edit(self, number: int) -> None:
        self.bodies += 1
        self.at_desk(lambda desk: desk.edit(self.chosen(number), f"text{self.bodies}x", "eve"))

    @rule(passed=st.sampled_from([SECOND, 10 * MINUTE, 3 * HOUR]))
    def time_passes(self, passed: timedelta) -> None:
        self.now += passed

    @invariant()
    def what_is_public_was_approved_follows_and_stays(self) -> None:
        if not hasattr(self, "incidents"):
            return
        for incident in self.incidents:
            public = [each for each in self.updates(incident) if each.state is UpdateState.PUBLISHED]
            before: IncidentStatus | None = None
            for update, last in zip(public, [None, *public], strict=False):
                assert may_follow(before, update.status, is_maintenance=incident.scheduled_for is not None)
                assert update.published_at is not None
                assert last is None or (last.published_at or NOW) <= update.published_at
                if self.page.incidents.needs_approval:
                    assert update.approved_by == "bob"
                    assert update.approved_at is not None
                    assert update.approved_at <= update.published_at
                before = update.status
        published = {each.id for each in self.updates() if each.state is UpdateState.PUBLISHED}
        assert self.seen.keys() <= published
        self.seen |= dict.fromkeys(published, "")

    @invariant()
    def each_is_told_once_and_drafts_are_not_shown(self) -> None:
        if not hasattr(self, "incidents"):
            return
        with self.store.transaction(read_only=True) as transaction:
            events = transaction.events.after(self.before, 10_000, (EVENT_STATUS_UPDATE,))
            own = [each.event for each in events if each.event.subject.startswith(f"{self.page.name}/")]
            shown = snapshot(self.page, transaction, self.now)
        published = [each.id for each in self.updates() if each.state is UpdateState.PUBLISHED]
        assert sorted(str(event.data["update"]) for event in own) == sorted(published)
        visible = {update.id for each in (*shown.incidents, *shown.maintenances) for update in each.updates}
        assert visible == set(published)
        for update in self.updates():
            if update.state is not UpdateState.PUBLISHED:
                assert update.body not in repr(shown)
        for incident in shown.incidents:
            promise = incident.next_update_by
            assert (promise is None) == (incident.status in (IncidentStatus.RESOLVED, IncidentStatus.POSTMORTEM))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    path: Path = tmp_path_factory.mktemp("desk") / "state.db"
    migrate(f"sqlite:///{path}")
    opened = open_store(f"sqlite:///{path}")
    yield opened
    opened.close()


def _run(store: SqlStore, examples: int, steps: int) -> None:
    machine = type("Machine", (DeskMachine,), {"store": store})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=steps, phases=QUICK)
    )


def test_nothing_is_published_twice_unapproved_out_of_order_or_after_the_end(shared: SqlStore) -> None:
    _run(shared, 4, 15)


@pytest.mark.soak
def test_nothing_is_published_that_may_not_be_in_thousands_of_acts(shared: SqlStore) -> None:
    _run(shared, 60, 50)


def begun(store: SqlStore, page: StatusPage, *messages: Message) -> list[str]:
    """The ids of drafts of one incident."""
    with store.transaction() as transaction:
        desk = Desk(page, transaction, NOW)
        incident = desk.begin(Beginning("It fails", Origin.MANUAL, Impact.MAJOR, ("api",), NOW))
        return [desk.draft(incident, message).id for message in messages]


def said(status: IncidentStatus, body: str = "text", **more: object) -> Message:
    return replace(Message(status, body, "ann"), **more)  # type: ignore[arg-type]


def test_who_approved_and_when_is_on_record(store: SqlStore) -> None:
    page = a_page(DRAFTING)
    (draft,) = begun(store, page, said(IncidentStatus.INVESTIGATING))
    with store.transaction() as transaction, pytest.raises(Refused, match=f"flyball status approve {draft} --by NAME"):
        Desk(page, transaction, NOW).publish(draft, "ann")
    with store.transaction() as transaction:
        desk = Desk(page, transaction, NOW + MINUTE)
        desk.approve(draft, "bob")
        assert desk.publish(draft, "bob")
        assert not desk.publish(draft, "bob")
        entries = transaction.audit.entries()
    assert [(each.actor, each.action, each.at) for each in entries] == [
        ("ann", "status.update_drafted", NOW),
        ("bob", "status.update_approved", NOW + MINUTE),
        ("bob", "status.update_published", NOW + MINUTE),
    ]
    assert entries[-1].detail["approved_by"] == "bob"


def test_a_text_that_is_changed_after_its_approval_is_approved_anew(store: SqlStore) -> None:
    page = a_page(DRAFTING)
    (draft,) = begun(store, page, said(IncidentStatus.INVESTIGATING))
    with store.transaction() as transaction:
        desk = Desk(page, transaction, NOW)
        desk.approve(draft, "bob")
        desk.edit(draft, "something else", "eve")
        with pytest.raises(Refused, match="unapproved"):
            desk.publish(draft, "eve")


def test_what_was_overtaken_is_not_published_any_more(store: SqlStore) -> None:
    page = a_page(PUBLISHING)
    first, second = begun(store, page, said(IncidentStatus.INVESTIGATING), said(IncidentStatus.IDENTIFIED))
    with store.transaction() as transaction:
        desk = Desk(page, transaction, NOW)
        desk.publish(second, "ann")
        with pytest.raises(Refused, match="later update"):
            desk.publish(first, "ann")


def test_once_it_is_resolved_drafts_go_and_only_a_postmortem_may_follow(store: SqlStore) -> None:
    page = a_page(PUBLISHING)
    statuses = (
        IncidentStatus.INVESTIGATING,
        IncidentStatus.RESOLVED,
        IncidentStatus.MONITORING,
        IncidentStatus.POSTMORTEM,
    )
    first, second, third, fourth = begun(store, page, *map(said, statuses))
    with store.transaction() as transaction:
        desk = Desk(page, transaction, NOW)
        desk.publish(first, "ann")
        desk.publish(second, "ann")
        with pytest.raises(Refused, match="discarded"):
            desk.publish(third, "ann")
        assert desk.publish(fourth, "ann")
        (incident,) = transaction.status.incidents(page.name)
    assert (incident.status, incident.resolved_at) == (IncidentStatus.POSTMORTEM, NOW)


def test_a_draft_of_policy_says_what_is_promised_when_it_is_published(store: SqlStore) -> None:
    page = a_page(DRAFTING)
    (draft,) = begun(store, page, said(IncidentStatus.INVESTIGATING, "We look. Next update by {next}.", mark="opened"))
    with store.transaction() as transaction:
        desk = Desk(page, transaction, NOW + 9 * MINUTE)
        desk.approve(draft, "bob")
        desk.publish(draft, "bob")
        (incident,) = transaction.status.incidents(page.name)
        (update,) = transaction.status.updates(page.name, [incident.id])
    assert incident.next_update_by == NOW + 30 * MINUTE
    assert update.body == "We look. Next update by 13:30 CET."


def test_every_subscriber_who_confirmed_gets_each_update_once_and_in_order(store: SqlStore) -> None:
    page = a_page(PUBLISHING)
    states = (SubscriberState.ACTIVE, SubscriberState.PENDING, SubscriberState.ENDED)
    with store.transaction() as transaction:
        for number, state in enumerate(states):
            transaction.status.put_subscriber(
                Subscriber("shop", f"s{number}", Channel.WEBHOOK, f"https://x{number}", state, "n", "h", NOW, NOW, NOW)
            )
    drafts = begun(store, page, said(IncidentStatus.INVESTIGATING), said(IncidentStatus.RESOLVED))
    for draft in (*drafts, *drafts):
        with store.transaction() as transaction:
            Desk(page, transaction, NOW).publish(draft, "ann")
    with store.transaction() as transaction:
        assert transaction.outbox.backlog() == 2
        (first,) = transaction.outbox.claim(10, NOW)
        assert first.message.id == f"status:shop:{drafts[0]}:s0"
        transaction.outbox.delivered(first.message.id, NOW)
        (second,) = transaction.outbox.claim(10, NOW)
        assert second.message.id == f"status:shop:{drafts[1]}:s0"


def test_drafts_beside_what_is_public_are_not_shown(store: SqlStore) -> None:
    page = a_page(PUBLISHING)
    first, _, third = begun(
        store, page, said(IncidentStatus.INVESTIGATING, "public"), *[said(IncidentStatus.IDENTIFIED, "hidden")] * 2
    )
    with store.transaction() as transaction:
        desk = Desk(page, transaction, NOW)
        desk.publish(first, "ann")
        desk.discard(third, "ann")
        shown = snapshot(page, transaction, NOW)
    assert [update.body for update in shown.incidents[0].updates] == ["public"]


def test_what_cannot_be_kept_is_not_told(store: SqlStore) -> None:
    page = a_page(PUBLISHING)
    (draft,) = begun(store, page, said(IncidentStatus.INVESTIGATING))

    def publish_and_fail() -> None:
        with store.transaction() as transaction:
            Desk(page, transaction, NOW + DAY).publish(draft, "ann")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        publish_and_fail()
    with store.transaction(read_only=True) as transaction:
        assert transaction.events.after(0, 10) == []
        assert [each.id for each in transaction.status.waiting("shop")] == [draft]
