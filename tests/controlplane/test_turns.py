"""Writers of one process take turns in the order in which they came."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from controlplane.ports import Transient
from controlplane.store import migrate, open_store
from controlplane.store.turns import Turns


def test_who_writes_again_and_again_lets_others_in_between() -> None:
    turns = Turns(60, "a database")
    order: list[str] = []

    def take(name: str) -> None:
        with turns.turn():
            order.append(name)

    with ThreadPoolExecutor(2) as pool:
        with turns.turn():
            first = pool.submit(take, "first")
            _until_waiting(turns, 1)
            second = pool.submit(take, "second")
            _until_waiting(turns, 2)
        take("again")
        first.result(), second.result()
    assert order == ["first", "second", "again"]


def test_who_waits_for_too_long_is_told_and_stands_in_nobodys_way() -> None:
    turns = Turns(0.01, "a database")
    with turns.turn(), pytest.raises(Transient, match="a database: database is locked"), turns.turn():
        pass
    assert turns.waiting == 0
    with turns.turn(), pytest.raises(ZeroDivisionError):
        raise ZeroDivisionError
    with turns.turn():
        pass


def test_readers_of_sqlite_wait_for_nobody_and_writers_do(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/flyball.db"
    migrate(url)
    store, wrote = open_store(url), threading.Event()

    def write() -> None:
        with store.transaction():
            wrote.set()

    with ThreadPoolExecutor(1) as pool:
        with store.transaction():
            with store.transaction(read_only=True):
                pass
            done = pool.submit(write)
            assert not wrote.wait(0.1)
        done.result()
    store.close()


def _until_waiting(turns: Turns, count: int) -> None:
    end = threading.Event()
    for _ in range(10_000):
        if turns.waiting >= count:
            return
        end.wait(0.001)
    raise AssertionError(f"{turns.waiting} wait, not {count}")
