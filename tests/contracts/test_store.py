"""What every store promises, on every database."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.event import listen

from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.event import Event
from controlplane.ports import Permanent, Transient
from controlplane.store import SqlStore
from tests.contracts.storing import MINUTE, NOW, SECOND, event, firing, message, resolved


def test_what_a_transaction_writes_becomes_visible_together(store: SqlStore, other: SqlStore) -> None:
    with store.transaction() as mine:
        mine.alerts.record(firing(), NOW)
        mine.events.append(event("e1"), NOW)
        mine.outbox.enqueue(message("m1"), NOW)
        mine.audit.append(at=NOW, actor="a", action="b", subject="c", detail={})
        with other.transaction(read_only=True) as theirs:
            assert theirs.alerts.recent(10) == []
            assert theirs.events.after(0, 10) == []
            assert theirs.outbox.backlog() == 0
            assert theirs.audit.entries() == []
    with other.transaction(read_only=True) as theirs:
        assert len(theirs.alerts.recent(10)) == len(theirs.events.after(0, 10)) == theirs.outbox.backlog() == 1
        assert len(theirs.audit.entries()) == 1


def test_an_exception_undoes_everything_and_passes_through(store: SqlStore) -> None:
    def break_off() -> None:
        with store.transaction() as transaction:
            transaction.alerts.record(firing(), NOW)
            transaction.audit.append(at=NOW, actor="a", action="b", subject="c", detail={})
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        break_off()
    with store.transaction() as transaction:
        assert transaction.alerts.recent(10) == []
        assert transaction.audit.verify() is None
        assert transaction.audit.append(at=NOW, actor="a", action="b", subject="c", detail={}).sequence == 1


def test_a_swallowed_database_error_does_not_pass_for_a_commit(store: SqlStore) -> None:
    def swallow() -> None:
        with store.transaction() as transaction:
            transaction.alerts.record(firing(), NOW)
            with pytest.raises(Permanent):
                transaction.outbox._connection.execute(text("SELECT nonsense"))

    if store._engine.dialect.name == "postgresql":  # SQLite carries on after a failed statement
        with pytest.raises(Transient, match="nothing was written"):
            swallow()
        with store.transaction() as transaction:
            assert transaction.alerts.recent(10) == []
    else:
        swallow()
        with store.transaction() as transaction:
            assert len(transaction.alerts.recent(10)) == 1


@pytest.mark.parametrize("read_only", [False, True])
def test_a_transaction_may_ask_for_nothing(store: SqlStore, read_only: bool) -> None:
    with store.transaction(read_only=read_only):
        pass


def test_writing_in_a_read_only_transaction_is_refused(store: SqlStore) -> None:
    def write() -> None:
        with store.transaction(read_only=True) as transaction:
            transaction.alerts.record(firing(), NOW)

    with pytest.raises(Permanent):
        write()
    with store.transaction() as transaction:  # the connection is fit for writing again
        assert transaction.alerts.record(firing(), NOW)


def test_a_reader_sees_one_state_and_does_not_wait_for_a_writer(store: SqlStore, other: SqlStore) -> None:
    with store.transaction() as writer:
        writer.alerts.record(firing("f1"), NOW)
        with other.transaction(read_only=True) as reader:
            assert reader.alerts.firing() == []
            writer.alerts.record(firing("f2"), NOW)
            assert reader.alerts.firing() == []


def test_times_come_back_in_utc_to_the_microsecond(store: SqlStore) -> None:
    in_tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    with store.transaction() as transaction:
        transaction.alerts.record(firing(starts_at=in_tokyo), in_tokyo)
        for time in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
            transaction.events.append(event(str(time), occurred_at=time), NOW)
    with store.transaction(read_only=True) as transaction:
        stored = transaction.alerts.recent(1)[0]
        assert stored.alert.starts_at == stored.first_received_at == NOW
        assert stored.alert.starts_at.tzinfo is UTC
        assert [e.event.occurred_at.year for e in transaction.events.after(0, 10)] == [1, 9999]


@pytest.mark.parametrize(
    "bad",
    [
        Event("e", "k", "s", NOW.replace(tzinfo=None), {}),
        Event("e", "k", "s", NOW, {"ratio": 0.1}),  # type: ignore[dict-item]
        Event("e", "k", "s", NOW, {"deep": [{"at": NOW}]}),  # type: ignore[list-item]
        Event("e\x00", "k", "s", NOW, {}),
        Event("e", "k", "\ud800", NOW, {}),
    ],
    ids=["naive time", "float", "not JSON", "NUL", "lone surrogate"],
)
def test_what_cannot_be_kept_faithfully_is_refused(store: SqlStore, bad: Event) -> None:
    def write() -> None:
        with store.transaction() as transaction:
            transaction.events.append(bad, NOW)

    with pytest.raises(Permanent):
        write()


def test_any_json_comes_back_as_it_was(store: SqlStore) -> None:
    data = {
        "nul": "\x00",
        "half": "\ud83d",
        "whole": "🜂",
        "": [],
        "big": 10**40,
        "true": True,
        "one": 1,
        "n": {"x": None},
    }
    with store.transaction() as transaction:
        transaction.events.append(Event("e", "k", "s", NOW, data), NOW)
        transaction.audit.append(at=NOW, actor="a", action="b", subject="c", detail=data)
    with store.transaction(read_only=True) as transaction:
        assert transaction.events.after(0, 1)[0].event.data == data
        assert transaction.audit.entries()[0].detail == data
        assert transaction.audit.verify() is None


# --- alerts -----------------------------------------------------------------------------------------------------------


def test_an_alert_is_known_by_fingerprint_and_start(store: SqlStore) -> None:
    with store.transaction() as transaction:
        assert transaction.alerts.record(firing("f1"), NOW)
        assert not transaction.alerts.record(firing("f1"), NOW + SECOND)
        assert transaction.alerts.record(firing("f1", NOW + MINUTE), NOW + MINUTE)
        assert transaction.alerts.record(firing("f2", NOW - MINUTE), NOW)
    with store.transaction(read_only=True) as transaction:
        alerts = transaction.alerts.firing()
        assert [a.alert.key for a in alerts] == [("f1", NOW + MINUTE), ("f1", NOW), ("f2", NOW - MINUTE)]
        assert [a.deliveries for a in alerts] == [1, 2, 1]
        assert alerts[1].alert == firing("f1")
        assert (alerts[1].first_received_at, alerts[1].last_received_at) == (NOW, NOW + SECOND)
        assert transaction.alerts.recent(2) == alerts[:2]


def test_resolved_is_final(store: SqlStore) -> None:
    with store.transaction() as transaction:
        assert transaction.alerts.record(firing(), NOW)
        assert transaction.alerts.record(resolved(), NOW + MINUTE)
        assert not transaction.alerts.record(resolved(summary="again"), NOW + 2 * MINUTE)
        assert not transaction.alerts.record(firing(summary="late"), NOW + 3 * MINUTE)
        assert transaction.alerts.firing() == []
        (stored,) = transaction.alerts.recent(10)
    assert stored.alert == resolved()
    assert (stored.deliveries, stored.last_received_at) == (4, NOW + 3 * MINUTE)


def test_an_alert_first_heard_of_when_resolved_is_new_and_resolved(store: SqlStore) -> None:
    with store.transaction() as transaction:
        assert transaction.alerts.record(resolved(), NOW)
        assert not transaction.alerts.record(firing(), NOW)
        assert transaction.alerts.firing() == []


def test_words_of_a_firing_alert_follow_its_latest_delivery(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.alerts.record(firing(summary="2 % spent"), NOW)
        transaction.alerts.record(firing(summary="9 % spent"), NOW + MINUTE)
        transaction.alerts.record(firing(summary="5 % spent"), NOW + SECOND)  # overtaken on its way
        (stored,) = transaction.alerts.firing()
    assert stored.alert.annotations == {"summary": "9 % spent"}
    assert (stored.deliveries, stored.last_received_at) == (3, NOW + MINUTE)


def test_many_alerts_at_once_are_as_many_one_after_the_other(store: SqlStore) -> None:
    deliveries = [
        firing("f1"),
        resolved("f2"),
        resolved("f1"),
        firing("f1", summary="late"),
        firing("f1", NOW + MINUTE),
        *(firing(f"many-{number}", NOW + number * SECOND) for number in range(1100)),
        firing("f2", summary="late"),
        resolved("many-1099", NOW + 1099 * SECOND),
    ]
    with store.transaction() as transaction:
        together = transaction.alerts.record_all(deliveries[:50], NOW)
        together += transaction.alerts.record_all(deliveries[50:], NOW + SECOND)
        at_once = transaction.alerts.recent(2000)
    with store.transaction() as transaction:
        transaction.alerts._connection.execute(text("DELETE FROM alerts"))
        one_by_one = [one for one in deliveries[:50] if transaction.alerts.record(one, NOW)]
        one_by_one += [one for one in deliveries[50:] if transaction.alerts.record(one, NOW + SECOND)]
        assert transaction.alerts.recent(2000) == at_once
    assert together == one_by_one
    assert len(at_once) == 1103


def test_few_statements_take_many_alerts(store: SqlStore) -> None:
    statements: list[str] = []
    listen(store._engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    many = [firing(f"f{number}") for number in range(1000)]
    with store.transaction() as transaction:
        transaction.alerts.record_all(many, NOW)
        transaction.alerts.record_all(many, NOW + SECOND)
        transaction.events.append_all([event(f"e{number}") for number in range(1000)], NOW)
        transaction.outbox.enqueue_all([message(f"m{number}") for number in range(1000)], NOW)
    assert len(statements) < 20


def test_nothing_at_all_is_recorded_too(store: SqlStore) -> None:
    with store.transaction() as transaction:
        assert transaction.alerts.record_all([], NOW) == []
        assert transaction.events.append_all([], NOW) == transaction.outbox.enqueue_all([], NOW) == 0


def test_of_many_events_and_messages_the_first_of_an_id_counts(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.events.append(event("known"), NOW)
        transaction.outbox.enqueue(message("known"), NOW)
        names = ["a", "b", "known", "a", "c"]
        assert transaction.events.append_all([event(name, kind=f"k{i}") for i, name in enumerate(names)], NOW) == 3
        assert transaction.outbox.enqueue_all([message(name, f"k{i}") for i, name in enumerate(names)], NOW) == 3
        kept = [(one.event.id, one.event.kind) for one in transaction.events.after(1, 10)]
        assert kept == [("a", "k0"), ("b", "k1"), ("c", "k4")]
        due = [(one.message.id, one.message.key) for one in transaction.outbox.claim(10, NOW)]
        assert due == [("known", "k"), ("a", "k0"), ("b", "k1"), ("c", "k4")]


def test_an_alert_may_have_any_labels(store: SqlStore) -> None:
    labels = {"": "", "ключ": "значение", "quote": "'\"\\", "nul": "\x00", "long": "x" * 100_000}
    with store.transaction() as transaction:
        transaction.alerts.record(Alert("f", NOW, AlertStatus.FIRING, labels, {}), NOW)
        assert transaction.alerts.firing()[0].alert.labels == labels


# --- events -----------------------------------------------------------------------------------------------------------


def test_an_event_is_appended_once(store: SqlStore) -> None:
    with store.transaction() as transaction:
        assert transaction.events.append(event("e1"), NOW)
        assert not transaction.events.append(event("e1", kind="other"), NOW + SECOND)
        (only,) = transaction.events.after(0, 10)
    assert (only.event, only.recorded_at) == (event("e1"), NOW)


def test_events_are_read_on_from_where_a_reader_was(store: SqlStore) -> None:
    with store.transaction() as transaction:
        for number in range(6):
            transaction.events.append(event(f"e{number}", kind="even" if number % 2 == 0 else "odd"), NOW)
        first = transaction.events.after(0, 4)
        rest = transaction.events.after(first[-1].sequence, 4)
        odd = transaction.events.after(first[0].sequence, 2, ["odd", "unheard of"])
    assert [e.event.id for e in first + rest] == [f"e{number}" for number in range(6)]
    assert [e.event.id for e in odd] == ["e1", "e3"]


def test_events_between_two_times_come_in_order_of_occurrence(store: SqlStore) -> None:
    with store.transaction() as transaction:
        for name, minutes in (("late", 2), ("end", 3), ("early", 0), ("before", -1), ("early too", 0)):
            transaction.events.append(event(name, occurred_at=NOW + minutes * MINUTE), NOW)
        found = transaction.events.between(NOW, NOW + 3 * MINUTE)
        assert transaction.events.between(NOW, NOW + 3 * MINUTE, ["nothing"]) == []
    assert [e.event.id for e in found] == ["early", "early too", "late"]


def test_purged_events_leave_their_numbers_unused(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.events.append(event("old"), NOW)
        transaction.events.append(event("older"), NOW + SECOND)
        last = transaction.events.after(0, 10)[-1].sequence
        assert transaction.events.purge(NOW + SECOND) == 1
        assert transaction.events.purge(NOW + MINUTE) == 1
        transaction.events.append(event("new"), NOW + MINUTE)
        (new,) = transaction.events.after(0, 10)
    assert new.sequence > last


# --- outbox -----------------------------------------------------------------------------------------------------------


def test_messages_of_one_key_leave_in_order(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        for name, key in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")):
            assert outbox.enqueue(message(name, key), NOW)
        assert [due.message.id for due in outbox.claim(10, NOW)] == ["a1", "b1"]
        assert outbox.claim(10, NOW) == []
        outbox.delivered("a1", NOW)
        (due,) = outbox.claim(10, NOW)
        assert (due.message, due.attempts, due.enqueued_at) == (message("a2", "a"), 0, NOW)
        assert outbox.backlog() == 3


def test_one_channel_does_not_hold_up_another(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.outbox.enqueue(message("s", channel="slack"), NOW)
        transaction.outbox.enqueue(message("p", channel="pagerduty"), NOW)
        assert [due.message.id for due in transaction.outbox.claim(10, NOW)] == ["s", "p"]


def test_a_message_is_queued_once(store: SqlStore) -> None:
    with store.transaction() as transaction:
        assert transaction.outbox.enqueue(message("m"), NOW)
        assert not transaction.outbox.enqueue(message("m", key="other"), NOW)
        transaction.outbox.delivered("m", NOW)
        assert not transaction.outbox.enqueue(message("m"), NOW)
        assert transaction.outbox.backlog() == 0


def test_a_failed_message_waits_for_its_time_and_its_key_with_it(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        outbox.enqueue(message("m1"), NOW)
        outbox.enqueue(message("m2"), NOW)
        outbox.claim(10, NOW)
        outbox.failed("m1", "503", NOW + MINUTE, NOW)
        assert outbox.claim(10, NOW + MINUTE - SECOND) == []
        (due,) = outbox.claim(10, NOW + MINUTE)
        assert (due.message.id, due.attempts) == ("m1", 1)


def test_a_dead_letter_is_kept_and_frees_its_key(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        outbox.enqueue(message("m1"), NOW)
        outbox.enqueue(message("m2"), NOW)
        outbox.claim(10, NOW)
        outbox.failed("m1", "no such channel", None, NOW)
        assert (outbox.backlog(), outbox.dead_letters()) == (1, 1)
        assert [due.message.id for due in outbox.claim(10, NOW)] == ["m2"]
        outbox.failed("m1", "a second word on it", NOW, NOW)
        assert (outbox.backlog(), outbox.dead_letters()) == (1, 1)
        outbox.delivered("m1", NOW)  # it arrived after all
        assert outbox.dead_letters() == 0


def test_a_claim_whose_owner_died_is_due_again(store: SqlStore, other: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.outbox.enqueue(message("m"), NOW)
    with store.transaction() as transaction:
        assert len(transaction.outbox.claim(1, NOW, MINUTE)) == 1
    with other.transaction() as transaction:
        assert transaction.outbox.claim(1, NOW + MINUTE - SECOND) == []
        (due,) = transaction.outbox.claim(1, NOW + MINUTE)
        assert (due.message.id, due.attempts) == ("m", 0)


def test_an_unknown_message_cannot_be_finished(store: SqlStore) -> None:
    with store.transaction() as transaction:
        with pytest.raises(Permanent, match="nobody"):
            transaction.outbox.delivered("nobody", NOW)
        with pytest.raises(Permanent, match="nobody"):
            transaction.outbox.failed("nobody", "x", None, NOW)


def test_only_delivered_messages_are_purged(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        for name in ("delivered", "recent", "dead", "pending"):
            outbox.enqueue(message(name, key=name), NOW)
        outbox.delivered("delivered", NOW)
        outbox.delivered("recent", NOW + SECOND)
        outbox.failed("dead", "gone", None, NOW)
        assert outbox.purge(NOW + SECOND) == 1
        assert (outbox.backlog(), outbox.dead_letters()) == (1, 1)
        assert not outbox.enqueue(message("recent"), NOW)


# --- audit ------------------------------------------------------------------------------------------------------------


def test_audit_entries_form_a_chain_that_anyone_can_recompute(store: SqlStore) -> None:
    in_tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    with store.transaction() as transaction:
        for number in range(3):
            transaction.audit.append(
                at=in_tokyo, actor="ä", action="set", subject="tier", detail={"to": number, "b": "ü"}
            )
    with store.transaction(read_only=True) as transaction:
        entries = transaction.audit.entries()
        assert transaction.audit.verify() is None
        assert transaction.audit.entries(after=1, limit=1) == entries[1:2]
        assert transaction.audit.head() == (3, entries[-1].hash)
    previous = "0" * 64
    for number, entry in enumerate(entries):
        assert (entry.sequence, entry.previous_hash, entry.at) == (number + 1, previous, NOW)
        covered = {
            "sequence": entry.sequence, "at": "2026-03-01T12:00:00.123456+00:00", "actor": "ä", "action": "set",
            "subject": "tier", "detail": {"to": number, "b": "ü"}, "previous_hash": previous,
        }  # fmt: skip
        spelled = json.dumps(covered, sort_keys=True, separators=(",", ":"))
        assert entry.hash == hashlib.sha256(spelled.encode()).hexdigest()
        previous = entry.hash


TAMPERING = {
    "actor": ("UPDATE audit SET actor = 'mallory' WHERE sequence = 3", 3),
    "time": ("UPDATE audit SET at = (SELECT at FROM audit WHERE sequence = 1) WHERE sequence = 3", 3),
    "detail": ("UPDATE audit SET detail = '{\"n\":99}' WHERE sequence = 2", 2),
    "spelling": ("UPDATE audit SET detail = '{ \"n\": 2 }' WHERE sequence = 2", 2),
    "no JSON": ("UPDATE audit SET detail = '{' WHERE sequence = 4", 4),
    "hash": ("UPDATE audit SET hash = 'f' WHERE sequence = 5", 5),
    "removed": ("DELETE FROM audit WHERE sequence = 3", 3),
    "first removed": ("DELETE FROM audit WHERE sequence = 1", 1),
    "tail cut": ("DELETE FROM audit WHERE sequence >= 4", 4),
    "all removed": ("DELETE FROM audit", 1),
    "reordered": ("UPDATE audit SET sequence = CASE sequence WHEN 2 THEN 12 WHEN 3 THEN 2 ELSE sequence END", 2),
    "head lost": ("DELETE FROM audit_head", 1),
    "head back": ("UPDATE audit_head SET entries = 3", 4),
    "head altered": ("UPDATE audit_head SET hash = 'f'", 5),
}


@pytest.mark.parametrize("case", TAMPERING)
def test_tampering_with_the_audit_log_is_found(store: SqlStore, case: str) -> None:
    statement, broken = TAMPERING[case]
    with store.transaction() as transaction:
        for number in range(1, 6):
            at = NOW + number * SECOND
            transaction.audit.append(at=at, actor="a", action="set", subject="tier", detail={"n": number})
    with store._engine.connect() as connection:
        connection.exec_driver_sql(statement)
        connection.commit()
    with store.transaction(read_only=True) as transaction:
        assert transaction.audit.verify() == broken


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)  # PostgreSQL keeps only times in a column of times
def test_an_entry_that_cannot_even_be_read_is_broken(store: SqlStore) -> None:
    with store.transaction() as transaction:
        for number in range(1, 4):
            transaction.audit.append(at=NOW, actor="a", action="set", subject="tier", detail={"n": number})
        transaction.outbox._connection.execute(text("UPDATE audit SET at = 'yesterday' WHERE sequence = 2"))
        assert transaction.audit.verify() == 2


def test_a_long_audit_log_is_verified_whole(store: SqlStore) -> None:
    with store.transaction() as transaction:
        for number in range(2003):
            transaction.audit.append(at=NOW, actor="a", action="set", subject="tier", detail={"n": number})
        assert transaction.audit.verify() is None
        assert len(transaction.audit.entries(after=2000)) == 3
