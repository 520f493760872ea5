"""A month from its first event to its file."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from controlplane.conventions import EVENT_PERIOD_CLOSED
from controlplane.model.usage import LineKind, PeriodState, Receipt
from controlplane.ports import Permanent
from controlplane.store import SqlStore
from exporters.usage.closing import Closed, Closer, NotClosable, preview_lines, read_closed
from exporters.usage.daemon import Turn, run_once
from exporters.usage.deliveries import from_body
from exporters.usage.export import csv_of, export_of
from exporters.usage.intake import Intake
from exporters.usage.measuring import Measurer
from exporters.usage.terms import UsageTerms
from exporters.usage.verifying import verified
from tests.exporters.usage.metering import CALLS, CLOSING, NOW, TERMS, body, sent, tokens

NEXT_CLOSING = datetime(2027, 1, 4, tzinfo=UTC)


def take(store: SqlStore, *events: object, now: datetime = NOW) -> Receipt:
    delivery = from_body(body(*events), is_batch=True, measurer=Measurer(TERMS), now=now)
    assert not delivery.refused, delivery.faults
    return Intake(store).take(delivery, now).receipt


def close(store: SqlStore, period: str = "2026-11", now: datetime = CLOSING, terms: UsageTerms = TERMS) -> Closed:
    return Closer(store, terms).close(period, now)


def a_month(store: SqlStore) -> None:
    take(
        store,
        tokens(1, "1100.5"), tokens(2, 1000, subject="beta"), tokens(2, 1001, subject="beta"), tokens(1, "1100.5"),
        *[sent(number, type="api.called") for number in range(3, 8)],
        sent(8, type="db.sampled", data={"open": 7}), sent(9, type="db.sampled", data={"open": 12}),
        *[sent(10 + number, type="session.started", data={"user": f"u{number % 3}"}) for number in range(6)],
        sent("odd", type="unknown.event"),
    )  # fmt: skip


def test_a_month_becomes_lines_that_control_totals_hold_for(store: SqlStore) -> None:
    a_month(store)
    closed = close(store)
    lines = {
        (line.tenant, line.item): (str(line.quantity), str(line.billed), str(line.amount)) for line in closed.lines
    }
    assert lines == {
        ("alpha", "calls"): ("5", "3", "3"),
        ("alpha", "peak"): ("12", "12", "0.12"),
        ("alpha", "tokens"): ("1100.5", "1000.5", "4.00"),
        ("alpha", "users"): ("3", "3", "0.03"),
        ("beta", "tokens"): ("1000", "900", "3.60"),
    }
    beta = next(dict(each) for each in closed.controls if each["tenant"] == "beta")  # type: ignore[arg-type,index,call-overload]
    assert beta == {
        "tenant": "beta", "meter": "tokens", "accepted": "2001", "billed": "900", "free": "100",
        "quarantined": "1001", "adjusted": "0", "events": 1, "quarantined_events": 1,
    }  # fmt: skip


def test_closing_again_changes_nothing_and_is_told_once(store: SqlStore) -> None:
    a_month(store)
    first, again = close(store), close(store, now=NEXT_CLOSING)
    assert (first.already, again.already) == (False, True)
    assert first.lines == again.lines
    with store.transaction(read_only=True) as transaction:
        (event,) = transaction.events.after(0, 10, (EVENT_PERIOD_CLOSED,))
        (entry,) = transaction.audit.entries()
    assert (event.event.subject, entry.subject) == ("2026-11", "2026-11")
    assert event.event.data["sha256"] == export_of("2026-11", first.lines, first.controls).sha256
    assert event.event.data["totals"] == {"USD": "7.75", "unit call": "3"}


def test_usage_after_the_close_is_an_adjustment_of_the_next_month_with_the_allowance_that_was_left(
    store: SqlStore,
) -> None:
    take(store, tokens(1, 60), tokens(2, 500, subject="beta"))
    close(store)
    late = {"now": NEXT_CLOSING - timedelta(days=20)}
    receipt = take(
        store, tokens(3, 50), tokens(4, 1000, time="2026-12-05T00:00:00Z"), tokens(5, 1, subject="beta"), **late
    )
    assert receipt == Receipt(accepted=3, late=2)
    closed = close(store, "2026-12", NEXT_CLOSING)
    found = [
        (line.kind, line.tenant, line.period, str(line.free), str(line.billed), str(line.amount))
        for line in closed.lines
    ]  # fmt: skip
    assert found == [
        (LineKind.ADJUSTMENT, "alpha", "2026-11", "40", "10", "0.04"),
        (LineKind.ADJUSTMENT, "beta", "2026-11", "0", "1", "0.00"),
        (LineKind.USAGE, "alpha", "2026-12", "100", "900", "3.60"),
    ]
    assert [each["adjusted"] for each in closed.controls] == ["50", "1"]  # type: ignore[index,call-overload]
    assert read_closed(store, "2026-11") == replace(close(store), already=True)


def test_months_are_closed_in_order_and_only_with_every_meter_declared(store: SqlStore) -> None:
    take(store, tokens(1, 5, time="2026-10-01T00:00:00Z"), tokens(2, 5))
    with pytest.raises(NotClosable, match="2026-10 is not closed yet"):
        close(store)
    with pytest.raises(NotClosable, match="2026-10 has usage of tokens, which no Meter declares"):
        close(store, "2026-10", terms=UsageTerms())
    with store.transaction(read_only=True) as transaction:
        assert {period.state for period in transaction.usage.periods()} == {PeriodState.OPEN}
    assert close(store, "2026-10").lines
    assert close(store).lines


def test_a_month_without_usage_closes_empty(store: SqlStore) -> None:
    closed = close(store)
    assert (closed.lines, closed.controls) == ((), ())
    assert csv_of(closed.lines).count(b"\n") == 1


def test_totals_that_were_tampered_with_stop_the_close(store: SqlStore) -> None:
    take(store, tokens(1, 60))
    with store._engine.begin() as connection:
        connection.execute(text("UPDATE usage_totals SET quantity = '61'"))
    with pytest.raises(Permanent, match="alpha tokens of 2026-11: totals say 61 in 1 events, events 60 in 1 events"):
        close(store)
    with store.transaction(read_only=True) as transaction:
        (period,) = transaction.usage.periods()
    assert period.state is PeriodState.CLOSING  # what comes now is late; nothing is lost
    with store._engine.begin() as connection:
        connection.execute(text("UPDATE usage_totals SET quantity = '60'"))
    assert close(store).lines


def test_the_export_is_the_same_bytes_and_verify_finds_every_change(store: SqlStore) -> None:
    a_month(store)
    closed = close(store)
    files = export_of("2026-11", closed.lines, closed.controls)
    assert files == export_of("2026-11", tuple(reversed(closed.lines)), closed.controls)
    assert files.csv.decode().splitlines()[:3] == [
        "booked,kind,tenant,item,period,unit,quantity,free,billed,price,per,currency,amount,note",
        "2026-11,usage,alpha,calls,2026-11,call,5,2,3,,,,3,",
        "2026-11,usage,alpha,peak,2026-11,connection,12,0,12,0.01,1,USD,0.12,",
    ]
    manifest = json.loads(files.manifest)
    assert (manifest["rows"], manifest["totals"]) == (5, {"USD": "7.75", "unit call": "3"})
    assert verified(files.csv, files.manifest, closed).wrong == ()
    for change in ((b"4.00", b"4.01"), (b"beta", b"gamma"), (b"\n", b"\r\n")):
        assert verified(files.csv.replace(*change), files.manifest, closed).wrong
    forged = files.manifest.replace(files.sha256.encode(), b"0" * 64)
    assert verified(files.csv, forged, None).wrong
    assert any("sha256" in line for line in verified(files.csv, forged, closed).wrong)
    for broken in (b"", b"{}", b"[]", b"\xff", b'{"format": 1}'):
        assert verified(files.csv, broken, closed).wrong


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "line 1: the columns are"),
        (b"\xff", "not the CSV that was written"),
        (b"a,b\n1,2\n", "line 1: the columns are a, b"),
    ],
)
def test_verify_says_what_is_wrong_with_what_is_no_file_of_ours(store: SqlStore, content: bytes, expected: str) -> None:
    a_month(store)
    closed = close(store)
    files = export_of("2026-11", closed.lines, closed.controls)
    assert any(expected in line for line in verified(content, files.manifest, None).wrong)


def test_verify_checks_the_sums_by_themselves(store: SqlStore) -> None:
    a_month(store)
    closed = close(store)
    wrong_sum = replace(closed.lines[0], free=closed.lines[0].free + 1)
    files = export_of("2026-11", (wrong_sum, *closed.lines[1:]), closed.controls)
    assert verified(files.csv, files.manifest, None).wrong == ("line 2: quantity 5 is not free 3 + billed 3",)
    controls = [dict(closed.controls[0]) | {"accepted": "6"}, *closed.controls[1:]]  # type: ignore[arg-type]
    files = export_of("2026-11", closed.lines, controls)
    (line,) = verified(files.csv, files.manifest, None).wrong
    assert line == "controls: alpha calls: accepted 6 is not billed + free + quarantined + adjusted"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            (b",beta,", b",gamma,"),
            (
                "controls: beta tokens: billed 900, its lines say 0",
                "controls: beta tokens: free 100, its lines say 0",
                "controls: gamma tokens: billed 0, its lines say 900",
                "controls: gamma tokens: free 0, its lines say 100",
            ),
        ),
        (
            (b",call,5,2,3,", b",call,6,3,3,"),
            ("controls: alpha calls: free 2, its lines say 3",),
        ),
        (
            (b",usage,alpha,calls,", b",adjustment,alpha,calls,"),
            (
                "controls: alpha calls: billed 3, its lines say 0",
                "controls: alpha calls: free 2, its lines say 0",
                "controls: alpha calls: adjusted 0, its lines say 5",
            ),
        ),
    ],
)
def test_a_file_with_a_manifest_to_match_is_found_by_its_control_totals(
    store: SqlStore, change: tuple[bytes, bytes], wrong: tuple[str, ...]
) -> None:
    a_month(store)
    closed = close(store)
    files = export_of("2026-11", closed.lines, closed.controls)
    content = files.csv.replace(*change)
    manifest = json.loads(files.manifest) | {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert verified(content, json.dumps(manifest).encode(), None).wrong == wrong


def test_a_manifest_without_control_totals_is_told(store: SqlStore) -> None:
    a_month(store)
    closed = close(store)
    files = export_of("2026-11", closed.lines, closed.controls)
    for controls in (None, "x", {}, [1], [{}]):
        manifest = json.dumps(json.loads(files.manifest) | {"controls": controls}).encode()
        assert any(line.startswith("controls: ") for line in verified(files.csv, manifest, None).wrong)


def test_what_a_month_would_be_is_shown_before_it_is_closed(store: SqlStore) -> None:
    a_month(store)
    before = preview_lines(store, TERMS, "2026-11")
    assert tuple(before) == close(store).lines
    assert preview_lines(store, UsageTerms(), "2026-11") == []


def test_the_daemon_moves_months_on_and_closes_them_when_their_grace_is_over(store: SqlStore) -> None:
    a_month(store)
    end = datetime(2026, 12, 1, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert run_once(store, TERMS, NOW).moved == ()
    assert run_once(store, TERMS, end - second).closed == ()
    assert run_once(store, TERMS, end).moved == ("2026-12 open", "2026-11 grace")
    assert run_once(store, TERMS, end + timedelta(hours=72) - second).closed == ()
    turn = run_once(store, TERMS, end + timedelta(hours=72))
    assert [closed.period for closed in turn.closed] == ["2026-11"]
    assert run_once(store, TERMS, end + timedelta(hours=73)).closed == ()


def test_the_daemon_says_why_it_cannot_close_a_month(store: SqlStore) -> None:
    take(store, tokens(1, 5))
    turn = run_once(store, UsageTerms(meters=(CALLS,)), CLOSING)
    assert (turn.closed, turn.stuck) == ((), "2026-11 has usage of tokens, which no Meter declares: declare it again")
    assert run_once(store, TERMS, CLOSING).closed


def test_without_any_declaration_the_daemon_touches_nothing(store: SqlStore) -> None:
    assert run_once(store, UsageTerms(), CLOSING) == Turn()
    with store.transaction(read_only=True) as transaction:
        assert transaction.usage.periods() == []


def test_the_daemon_ends_what_a_killed_close_began(store: SqlStore) -> None:
    take(store, tokens(1, 5))
    with store.transaction() as transaction:
        transaction.usage.move("2026-11", PeriodState.CLOSING, CLOSING)
    assert [closed.period for closed in run_once(store, TERMS, CLOSING).closed] == ["2026-11"]


def test_a_leader_that_lost_its_lease_closes_nothing(store: SqlStore) -> None:
    from controlplane.ports import LeaseLost

    take(store, tokens(1, 5))
    lease = store.leases.acquire("jobs", "one", timedelta(seconds=60))
    assert lease is not None
    store.leases.release(lease)
    with pytest.raises(LeaseLost):
        run_once(store, TERMS, CLOSING, lease=lease)
    with pytest.raises(LeaseLost):
        Closer(store, TERMS, lease=lease).close("2026-11", CLOSING)
    assert read_closed(store, "2026-11") is None


def test_old_events_are_forgotten_when_they_are_too_old_to_come_again(store: SqlStore) -> None:
    take(store, tokens(1, 5))
    close(store)
    assert run_once(store, TERMS, NOW + timedelta(days=430)).forgotten == 0
    assert run_once(store, TERMS, NOW + timedelta(days=460)).forgotten == 1
