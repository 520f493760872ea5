"""The buffer of a prober: nothing leaves it before it was taken, and it stays within its bounds."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from controlplane.ports import Permanent
from synthetics.regions.spool import Batch, Bounds, Spool, SpoolFigures
from tests.contracts.checking import NOON, result
from tests.synthetics.regions.reporting import spool

SMALL = Bounds(max_results=10, max_age=timedelta(hours=1), batch_results=3, max_aside=2)


def seconds(batch: Batch | None) -> list[int]:
    """After how many seconds each result of a batch started."""
    assert batch is not None
    return [int(orjson.loads(body)["startedAt"][17:19]) for body in batch.rendered]


def filled(one: Spool, count: int) -> Spool:
    for number in range(count):
        one.put(result(number))
    return one


def test_the_newest_go_first_and_then_the_oldest(tmp_path: Path) -> None:
    one = filled(spool(tmp_path, bounds=SMALL), 8)
    newest, oldest = one.cut_newest(), one.cut_oldest()
    assert (seconds(newest), seconds(oldest)) == ([5, 6, 7], [0, 1, 2])
    assert [batch.sequence for batch in one.pending()] == [1, 2]
    assert newest
    one.settle(newest)
    assert (one.waiting, seconds(one.pending()[0])) == (5, [0, 1, 2])
    assert seconds(one.cut_oldest() or newest) == [5, 6, 7]  # nothing lies before what is pending


def test_what_came_after_a_cut_is_in_no_report_that_has_a_number(tmp_path: Path) -> None:
    one = filled(spool(tmp_path, bounds=SMALL), 2)
    first = one.cut_newest()
    one.put(result(9))
    assert seconds(first) == [0, 1]
    assert seconds(one.pending()[0]) == [0, 1]
    assert seconds(one.cut_newest()) == [9]
    assert one.cut_newest() is None
    assert one.cut_oldest() is None


def test_a_report_keeps_its_number_and_its_content_when_the_prober_starts_anew(tmp_path: Path) -> None:
    before = filled(spool(tmp_path, prober="old", bounds=SMALL), 4)
    cut = before.cut_newest()
    before.close()
    after = spool(tmp_path, prober="new", bounds=SMALL)
    assert after.pending() == [cut]
    assert (cut.prober, cut.sequence, after.waiting) == ("old", 1, 4) if cut else False
    after.put(result(9))
    assert cut
    after.settle(cut)
    assert [(each.prober, each.sequence) for each in (after.cut_newest(), after.cut_oldest()) if each] == [("new", 1)]
    assert after.next_sequence() == 2


def test_numbers_go_on_under_the_same_name(tmp_path: Path) -> None:
    one = spool(tmp_path)
    assert [one.next_sequence(), one.next_sequence()] == [1, 2]
    one.close()
    assert spool(tmp_path).next_sequence() == 3


def test_beyond_its_bounds_the_oldest_are_dropped_and_counted(tmp_path: Path) -> None:
    one = filled(spool(tmp_path, bounds=SMALL), 13)
    assert one.figures() == SpoolFigures(10, 3, 0)
    assert seconds(one.cut_oldest()) == [3, 4, 5]
    assert one.trim(NOON + timedelta(hours=1, seconds=4.5)) == 2
    assert one.figures() == SpoolFigures(8, 5, 0)
    assert [seconds(batch) for batch in one.pending()] == [[5]]  # it never grows
    assert one.trim(NOON + timedelta(hours=1, seconds=5.5)) == 1
    assert one.pending() == []


def test_a_refused_report_is_kept_aside_and_sent_no_more(tmp_path: Path) -> None:
    one = filled(spool(tmp_path, bounds=SMALL), 9)
    for _ in range(3):
        batch = one.cut_oldest()
        assert batch
        one.set_aside(batch, "400: no good", NOON)
    assert one.pending() == []
    assert one.figures() == SpoolFigures(0, 0, 9)
    with sqlite3.connect(tmp_path / "eu.db") as connection:
        kept = connection.execute("SELECT sequence, reason, results, body FROM aside").fetchall()
    assert [(number, reason, count) for number, reason, count, _ in kept] == [
        (2, "400: no good", 3),
        (3, "400: no good", 3),
    ]
    assert [len(orjson.loads(body)) for *_, body in kept] == [3, 3]


def test_a_file_belongs_to_one_region(tmp_path: Path) -> None:
    spool(tmp_path).close()
    with pytest.raises(Permanent, match="holds results of region eu, not of us"):
        Spool(tmp_path / "eu.db", region="us", prober="p")


def test_a_file_that_is_no_spool_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "eu.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(Permanent, match="not a database; move it away"):
        spool(tmp_path)


def test_a_full_disk_loses_a_result_and_stops_nobody(tmp_path: Path) -> None:
    one = filled(spool(tmp_path), 1)
    one._connection.execute("PRAGMA max_page_count = 1")  # SQLite says then what it says of a full disk
    pages = one._connection.execute("PRAGMA page_count").fetchone()[0]
    for number in range(200):
        one.put(result(number, detail="x" * 500))
    assert one._connection.execute("PRAGMA page_count").fetchone()[0] == pages
    lost = one.figures().dropped
    assert lost > 0
    one._connection.execute("PRAGMA max_page_count = 10000")
    one.put(result(1))
    assert one.figures() == SpoolFigures(one.waiting, lost, 0)
    assert one.waiting == 202 - lost


def test_two_processes_that_share_a_file_neither_lose_a_result_nor_number_one_anew(tmp_path: Path) -> None:
    one, other = spool(tmp_path, prober="a", bounds=SMALL), spool(tmp_path, prober="b", bounds=SMALL)
    filled(one, 2)
    first = one.cut_newest()
    assert other.pending() == [first]
    assert first
    other.settle(first)
    one.settle(first)
    filled(one, 1)
    assert [(each.prober, each.sequence) for each in (one.cut_newest(),) if each] == [("a", 2)]
    other.settle(one.pending()[0])
    assert one.cut_newest() is None
    assert one.waiting == 0


def test_after_it_was_closed_results_are_lost_but_nobody_is_stopped(tmp_path: Path) -> None:
    one = spool(tmp_path)
    one.close()
    one.put(result(0))
