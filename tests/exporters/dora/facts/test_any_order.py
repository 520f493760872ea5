"""Events in any order, folded and measured in between at any time, give the days that all of them at once give."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.model.delivery import DeliveryEvent, SheetKey
from controlplane.store import SqlStore, open_store
from exporters.dora.facts.daemon import FactsDaemon
from exporters.dora.measuring.daemon import MeasureDaemon
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.sheets.packing import unpack
from tests.exporters.dora.facts.telling import AT, SHOP, change, deployed, incident, packaged

HOUR, DAY = 60, 24 * 60
NOW = AT + timedelta(days=20)
POLICY = DeliveryPolicy()
IMAGES = [f"pkg:oci/shop@sha256:{n}" for n in range(4)]


def said(days: int) -> str:
    return (AT + timedelta(days=days)).isoformat()


def story() -> list[DeliveryEvent]:
    """Two weeks: changes, images of them, a bad release that is rolled back and mended, a retry, reopening."""
    merges = [
        change(f"{n}", minutes=n * DAY - 3 * HOUR, revision=f"{n:07x}", firstCommitAt=said(n - 2)) for n in range(1, 9)
    ]
    images = [packaged(image, change_id=f"{2 * n + 2}", source=f"https://{SHOP}") for n, image in enumerate(IMAGES)]
    releases = [
        deployed(f"i{n}", minutes=(2 * n + 2) * DAY, artifact=image, version=f"1.{n}") for n, image in enumerate(IMAGES)
    ]
    return [
        *merges,
        *images,
        change("3", "created", 2 * DAY),
        change("9", minutes=4 * DAY + HOUR, reverts="4", hotfix=True, firstCommitAt=said(4)),
        *releases,
        deployed("back", "rolledback", 4 * DAY + 50, undoes="1.1", version="1.0", artifact=IMAGES[0]),
        deployed("fix", minutes=4 * DAY + 3 * HOUR, changes=["9"], repository=SHOP, remedies="i1"),
        deployed("retry", minutes=9 * DAY, outcome="failed", repository=SHOP, revision=f"{5:07x}"),
        deployed("retry", minutes=9 * DAY + 30),
        deployed("pay", minutes=4 * DAY + 5, service="pay", version="7", unplanned=True),
        incident("i1", minutes=4 * DAY + 20),
        incident("i1", "resolved", 4 * DAY + HOUR),
        incident("i1", minutes=4 * DAY + 2 * HOUR),
        incident("i1", "resolved", 4 * DAY + 4 * HOUR),
        incident("i2", minutes=8 * DAY + HOUR, deployment="7", service="pay"),
        incident("i3", minutes=6 * DAY + 3 * HOUR, priority="P4"),
    ]


@contextmanager
def opened(empty: Path) -> Iterator[SqlStore]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(empty, f"{folder}/state.db")
        store = open_store(f"sqlite:///{folder}/state.db")
        yield store
        store.close()


def take(store: SqlStore, events: Sequence[DeliveryEvent]) -> None:
    with store.transaction() as transaction:
        transaction.delivery.take(events, NOW)


def days(store: SqlStore) -> dict[SheetKey, tuple[bytes, ...]]:
    """What was measured of each day, without what was counted, which is a matter of history."""
    MeasureDaemon(store, lambda: POLICY).run_once(NOW)
    first, last = (AT - timedelta(days=9)).date(), NOW.date()
    with store.transaction(read_only=True) as transaction:
        sheets = transaction.delivery.sheets(first, last)
    found = {}
    for sheet in sheets:
        day = unpack(sheet.body)
        parts = tuple(part.tobytes() for part in (day.deployments, day.changes, day.incidents))
        if any(parts):
            found[sheet.key] = parts
    return found


@pytest.fixture(scope="module")
def at_once(dora_file: Path) -> dict[SheetKey, tuple[bytes, ...]]:
    with opened(dora_file) as store:
        take(store, story())
        FactsDaemon(store, lambda: POLICY).run_once(NOW)
        return days(store)


def check(empty: Path, at_once: dict[SheetKey, tuple[bytes, ...]], data: st.DataObject) -> None:
    events = story()
    order = data.draw(st.permutations([*events, *data.draw(st.lists(st.sampled_from(events), max_size=3))]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1), max_size=5)))
    with opened(empty) as store:
        folding = FactsDaemon(store, lambda: POLICY, batch=data.draw(st.integers(2, 12)))
        for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True):
            take(store, order[start:end])
            folding.run_once(NOW)
            days(store)
        assert days(store) == at_once


@given(data=st.data())
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_gives_the_days_that_all_at_once_give(
    dora_file: Path, at_once: dict[SheetKey, tuple[bytes, ...]], data: st.DataObject
) -> None:
    assert len(at_once) > 6
    check(dora_file, at_once, data)


@pytest.mark.soak
@given(data=st.data())
@settings(max_examples=300)
def test_hundreds_of_orders_do(
    dora_file: Path, at_once: dict[SheetKey, tuple[bytes, ...]], data: st.DataObject
) -> None:
    check(dora_file, at_once, data)
