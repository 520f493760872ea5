"""The store of status pages, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controlplane.model.public_status import AffectedComponent, ComponentStatus, Correction, Impact, IncidentStatus
from controlplane.model.status_record import (
    Channel,
    ComponentSpan,
    CorrectionRecord,
    IncidentRecord,
    Origin,
    Subscriber,
    SubscriberState,
    UpdateRecord,
    UpdateState,
)
from controlplane.ports import Permanent
from controlplane.store import SqlStore
from tests.contracts.storing import MINUTE, NOW, SECOND

UP, MAJOR, PARTIAL = ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR, ComponentStatus.PARTIAL
GAP = 3 * MINUTE
DAY = timedelta(days=1)


def observe(store: SqlStore, at: datetime, page: str = "p", **statuses: ComponentStatus) -> list[tuple[str, str]]:
    with store.transaction() as transaction:
        changes = transaction.status.observe(page, statuses, at, GAP)
    return [(change.component, f"{change.old.value if change.old else ''}>{change.new.value}") for change in changes]


def spans(store: SqlStore, component: str = "api") -> list[tuple[float, float, str]]:
    """Minutes from NOW on, of all spans."""
    with store.transaction(read_only=True) as transaction:
        found = transaction.status.spans("p", NOW - 100 * DAY, NOW + 100 * DAY)
    return [
        ((span.start - NOW) / MINUTE, (span.end - NOW) / MINUTE, span.status.value)
        for span in found
        if span.component == component
    ]


def an_incident(**changes: object) -> IncidentRecord:
    record = IncidentRecord(
        "p", "i1", "Ünïcode ✓", Origin.MANUAL, IncidentStatus.INVESTIGATING, Impact.MAJOR, ("api", "web"), NOW, NOW, NOW
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def an_update(**changes: object) -> UpdateRecord:
    affected = (AffectedComponent("api", "API", UP, MAJOR),)
    record = UpdateRecord(
        "p", "u1", "i1", 1, IncidentStatus.INVESTIGATING, "text\nwith “lines”", UpdateState.DRAFT, "ann", NOW,
        affected=affected, next_within=30 * MINUTE,
    )  # fmt: skip
    return replace(record, **changes)  # type: ignore[arg-type]


def a_subscriber(**changes: object) -> Subscriber:
    record = Subscriber(
        "p", "s1", Channel.EMAIL, "ann@example.com", SubscriberState.PENDING, "n", "h", NOW, NOW, NOW + DAY
    )  # fmt: skip
    return replace(record, **changes)  # type: ignore[arg-type]


def test_a_status_holds_until_the_next_observation(store: SqlStore) -> None:
    assert observe(store, NOW, api=UP, web=UP) == [("api", ">operational"), ("web", ">operational")]
    assert observe(store, NOW + MINUTE, api=UP, web=UP) == []
    assert observe(store, NOW + 2 * MINUTE, api=MAJOR, web=UP) == [("api", "operational>major_outage")]
    assert observe(store, NOW + 3 * MINUTE, api=UP, web=UP) == [("api", "major_outage>operational")]
    assert spans(store) == [(0, 2, "operational"), (2, 3, "major_outage"), (3, 3, "operational")]
    assert spans(store, "web") == [(0, 3, "operational")]


def test_time_that_nobody_observed_belongs_to_no_span(store: SqlStore) -> None:
    observe(store, NOW, api=UP)
    observe(store, NOW + GAP, api=UP)
    observe(store, NOW + 2 * GAP + SECOND, api=UP)
    observe(store, NOW + 9 * GAP, api=MAJOR)
    assert [(start, end) for start, end, _ in spans(store)] == [(0, 3), ((2 * GAP + SECOND) / MINUTE,) * 2, (27, 27)]
    with store.transaction(read_only=True) as transaction:
        (state,) = transaction.status.states("p")
    assert (state.status, state.since, state.created_at) == (MAJOR, NOW + 9 * GAP, NOW)


def test_the_same_observation_again_and_an_older_one_change_nothing(store: SqlStore) -> None:
    observe(store, NOW, api=UP)
    observe(store, NOW + MINUTE, api=MAJOR)
    for at in (NOW + MINUTE, NOW + SECOND, NOW - DAY):
        assert observe(store, at, api=UP) == []
    assert spans(store) == [(0, 1, "operational"), (1, 1, "major_outage")]


def test_pages_and_components_do_not_touch_one_another(store: SqlStore) -> None:
    observe(store, NOW, api=UP)
    observe(store, NOW, "other", api=MAJOR)
    observe(store, NOW + MINUTE, web=UP)
    assert spans(store) == [(0, 0, "operational")]


def test_spans_are_those_with_a_part_in_the_time_asked_for(store: SqlStore) -> None:
    past = [
        ComponentSpan("api", NOW - DAY, NOW, UP),
        ComponentSpan("api", NOW, NOW + MINUTE, PARTIAL),
        ComponentSpan("api", NOW + MINUTE, NOW + DAY, UP),
    ]
    with store.transaction() as transaction:
        transaction.status.put_spans("p", past)
        assert transaction.status.spans("p", NOW, NOW + MINUTE) == past[1:2]
        assert transaction.status.spans("p", NOW - SECOND, NOW + MINUTE + SECOND) == past
        (state,) = transaction.status.states("p")
    assert (state.status, state.since, state.created_at, state.observed_at) == (
        UP, NOW + MINUTE, NOW - DAY, NOW + DAY,
    )  # fmt: skip
    assert observe(store, NOW + DAY + MINUTE, api=UP) == []
    assert spans(store)[-1][1] == (DAY + MINUTE) / MINUTE


def test_everything_of_an_incident_comes_back_as_it_was(store: SqlStore) -> None:
    full = an_incident(
        id="i2", announced_at=NOW, monitoring_at=NOW, resolved_at=NOW, scheduled_for=NOW, scheduled_until=NOW + MINUTE,
        next_update_by=NOW, overdue_told=NOW, calm_since=NOW, maintenance="m", is_excluded=True, expects=PARTIAL,
        started_at=NOW + MINUTE,
    )  # fmt: skip
    with store.transaction() as transaction:
        for record in (an_incident(), full):
            transaction.status.put_incident(record)
            assert transaction.status.incident("p", record.id) == record
        assert transaction.status.incidents("p") == [full, an_incident()]
        assert transaction.status.incidents("p", NOW + 2 * MINUTE) == [an_incident()]
        transaction.status.put_incident(an_incident(name="other"))
        assert [each.name for each in transaction.status.incidents("p")] == ["Ünïcode ✓", "other"]
        assert transaction.status.incident("q", "i1") is None


def test_updates_come_in_their_order_and_drafts_are_listed(store: SqlStore) -> None:
    second = an_update(id="u2", number=2, state=UpdateState.APPROVED, approved_by="bob", approved_at=NOW, mark="t+15")
    third = an_update(id="u3", number=3, state=UpdateState.DISCARDED, next_within=None, sets_components=True)
    with store.transaction() as transaction:
        for record in (third, second, an_update()):
            transaction.status.put_update(record)
        assert transaction.status.updates("p", ["i1", "i9"]) == [an_update(), second, third]
        assert transaction.status.waiting("p") == [an_update(), second]
        assert transaction.status.update("p", "u2") == second
        assert transaction.status.updates("p", []) == []


def test_two_updates_of_an_incident_cannot_have_one_number(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.status.put_update(an_update())
    with pytest.raises(Permanent), store.transaction() as transaction:
        transaction.status.put_update(an_update(id="u2"))


def test_what_was_published_is_changed_by_edits_only_and_they_keep_what_it_said(store: SqlStore) -> None:
    published = an_update(state=UpdateState.PUBLISHED, published_at=NOW)
    with store.transaction() as transaction:
        transaction.status.put_update(published)
        transaction.status.put_update(published)
        for changed in (
            replace(published, body="other"),
            replace(published, state=UpdateState.DISCARDED),
            replace(published, published_at=NOW + MINUTE),
        ):
            with pytest.raises(Permanent, match="published"):
                transaction.status.put_update(changed)
        for number, text in enumerate(("second", "third"), 1):
            edited = transaction.status.edit("p", "u1", text, "bob", NOW + number * MINUTE)
        assert edited == replace(published, body="third", updated_at=NOW + 2 * MINUTE)
        edits = transaction.status.edits("p", "u1")
        assert [(edit.revision, edit.body, edit.replaced_by) for edit in edits] == [
            (1, published.body, "bob"),
            (2, "second", "bob"),
        ]
        with pytest.raises(Permanent, match="no update"):
            transaction.status.edit("p", "u9", "x", "bob", NOW)


def test_corrections_and_subscribers_come_back_as_they_were(store: SqlStore) -> None:
    correction = CorrectionRecord("p", "c1", "api", Correction(NOW, NOW + MINUTE, PARTIAL, "why", NOW), "ann")
    active = a_subscriber(
        id="s2", channel=Channel.WEBHOOK, state=SubscriberState.ACTIVE, confirmed_at=NOW, language="de"
    )
    with store.transaction() as transaction:
        transaction.status.put_correction(correction)
        withdrawn = replace(correction, withdrawn_at=NOW, from_file=True)
        transaction.status.put_correction(withdrawn)
        assert transaction.status.corrections("p") == [withdrawn]
        for record in (a_subscriber(), active):
            transaction.status.put_subscriber(record)
            assert transaction.status.subscriber("p", record.id) == record
            assert transaction.status.subscriber_at("p", record.channel, record.address) == record
        assert transaction.status.subscribers("p") == [a_subscriber(), active]
        assert transaction.status.subscriber_at("q", Channel.EMAIL, "ann@example.com") is None
        assert transaction.status.subscriber("q", "s1") is None


def test_an_address_subscribes_once_a_page_and_way(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.status.put_subscriber(a_subscriber())
    with pytest.raises(Permanent), store.transaction() as transaction:
        transaction.status.put_subscriber(a_subscriber(id="s2"))


def test_what_was_over_long_ago_is_forgotten_and_nothing_else(store: SqlStore) -> None:
    old, recent = NOW - 2 * DAY, NOW
    with store.transaction() as transaction:
        log = transaction.status
        log.put_spans(
            "p", [ComponentSpan("api", old, NOW - DAY - SECOND, UP), ComponentSpan("api", old + DAY, NOW, UP)]
        )
        log.put_incident(an_incident(id="old", resolved_at=old))
        log.put_incident(an_incident(id="open", started_at=old))
        log.put_incident(an_incident(id="recent", resolved_at=recent))
        log.put_update(an_update(incident="old"))
        log.edit("p", "u1", "x", "bob", NOW)
        log.put_update(an_update(id="u2", incident="open"))
        log.put_subscriber(a_subscriber(expires_at=old))
        log.put_subscriber(a_subscriber(id="s2", address="b", state=SubscriberState.ENDED, ended_at=old))
        log.put_subscriber(a_subscriber(id="s3", address="c", state=SubscriberState.ACTIVE, expires_at=old))
        assert log.purge("q", NOW) == 0
        assert log.purge("p", NOW - DAY) == 6
        assert [each.id for each in log.incidents("p")] == ["recent", "open"]
        assert [each.id for each in log.subscribers("p")] == ["s3"]
        assert log.update("p", "u1") is None
        assert log.edits("p", "u1") == []
        assert len(log.spans("p", old - DAY, NOW)) == 1


def test_a_transaction_that_fails_leaves_nothing(store: SqlStore) -> None:
    def observe_and_fail() -> None:
        with store.transaction() as transaction:
            transaction.status.observe("p", {"api": UP}, NOW, GAP)
            transaction.status.put_incident(an_incident())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        observe_and_fail()
    with store.transaction(read_only=True) as transaction:
        assert transaction.status.states("p") == []
        assert transaction.status.incidents("p") == []


def test_who_reads_and_then_writes_holds_the_right_to_write_meanwhile(store: SqlStore, other: SqlStore) -> None:
    """Two that count up at once lose no step."""
    with store.transaction() as transaction:
        transaction.status.put_incident(an_incident(name="0"))

    def step(one: SqlStore) -> None:
        with one.transaction() as transaction:
            transaction.status.hold()
            found = transaction.status.incident("p", "i1")
            assert found is not None
            transaction.status.put_incident(replace(found, name=str(int(found.name) + 1)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(step, [store, other] * 8))
    with store.transaction(read_only=True) as transaction:
        found = transaction.status.incident("p", "i1")
    assert found is not None
    assert found.name == "16"
