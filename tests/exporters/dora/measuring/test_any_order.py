"""Facts that come, change and go in any order, measured in between at any time, give what measuring them once gives."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from controlplane.model.delivery import (
    Artifact,
    Change,
    Correction,
    DeliveryIncident,
    Deployment,
    DeploymentKind,
    DeploymentOutcome,
    Sheet,
    SheetKey,
)
from exporters.dora.measuring.daemon import measure
from exporters.dora.measuring.windows import for_scopes
from exporters.dora.model import DoraMetrics
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning import looks
from exporters.dora.reckoning.reach import FactChange, days_of_correction, days_touched
from exporters.dora.sheets.packing import unpack
from tests.exporters.dora.reckoning.memory_log import Fact, MemoryLog

START = datetime(2026, 3, 20, tzinfo=UTC)  # Berlin's clocks change on the 29th
DAYS = 16
NOW = START + timedelta(days=DAYS + 3)
POLICY = DeliveryPolicy(
    attribution_window=timedelta(hours=5), rollback_window=timedelta(hours=9), time_zone="Europe/Berlin"
)
TIMES = st.integers(0, DAYS * 24 - 1).map(lambda hours: START + timedelta(hours=hours))
CROWDED = st.integers(0, 4 * 24).map(lambda hours: START + timedelta(days=5, hours=hours))
NEAR = st.one_of(CROWDED, CROWDED, CROWDED, TIMES)
SERVICES = st.sampled_from([*["shop"] * 5, "pay"])
REVISIONS = st.sampled_from(["", "r1", "r2", "r3"])


def _some(prefix: str, count: int) -> st.SearchStrategy[str]:
    return st.integers(0, count - 1).map(lambda number: f"{prefix}{number}")


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    at = draw(NEAR)
    revision = draw(REVISIONS)
    kinds = [DeploymentKind.DEPLOYED, DeploymentKind.DEPLOYED, DeploymentKind.ROLLED_BACK, DeploymentKind.REMOVED]
    return Deployment(
        draw(_some("d", 8)),
        draw(SERVICES),
        "production",
        at,
        draw(st.sampled_from(kinds)),
        draw(st.sampled_from([*[DeploymentOutcome.SUCCEEDED] * 4, DeploymentOutcome.FAILED])),
        at - timedelta(hours=draw(st.integers(0, 8))),
        draw(st.sampled_from(["", "v1", "v2", "v3"])),
        draw(st.sampled_from([(), (), ("a1",), ("a2",)])),
        "repo" if revision else "",
        revision,
        draw(st.sampled_from([(), (), (), ("c1",), ("c1", "c9")])),
        draw(st.sampled_from(["", "", "", "d1", "v1"])),
        draw(st.sampled_from(["", "", "", "i1"])),
        draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def changes(draw: st.DrawFn) -> Change:
    merged = draw(NEAR)
    return Change(
        draw(_some("c", 6)),
        "repo",
        merged,
        draw(REVISIONS),
        merged - timedelta(hours=draw(st.integers(-2, 30))),
        services=draw(st.sampled_from([(), (), ("pay",)])),
        reverts=draw(st.sampled_from(["", "", "c1", "r2"])),
        is_hotfix=draw(st.sampled_from([False, False, True])),
        remedies=draw(st.sampled_from(["", "", "i1"])),
    )


@st.composite
def incidents(draw: st.DrawFn) -> DeliveryIncident:
    start = draw(NEAR)
    lengths = st.one_of(st.none(), st.integers(-1, 40))
    length = draw(lengths)
    return DeliveryIncident(
        draw(_some("i", 4)),
        draw(SERVICES),
        "production",
        start,
        None if length is None else start + timedelta(hours=length),
        draw(st.sampled_from(["", "", "d1", "d2", "v1", "r1"])),
        is_counted=draw(st.sampled_from([True, True, True, False])),
    )


ARTIFACTS = st.builds(
    Artifact, _some("a", 3), st.sampled_from(["", "c1"]), st.just("repo"), st.sampled_from(["", "r2", "r3"])
)
CORRECTIONS = st.builds(
    Correction,
    _some("i", 4),
    st.sampled_from(["", "d1", "d3"]),
    st.just("ann"),
    st.just(NOW),
    is_withdrawn=st.booleans(),
)
FACTS = st.one_of(deployments(), deployments(), changes(), incidents(), ARTIFACTS)
STEPS = st.lists(
    st.one_of(FACTS, FACTS, CORRECTIONS, st.tuples(st.just("drop"), FACTS), st.just("measure")), max_size=25
)


class Kept:
    """What FACTS and the measuring daemon do, one fact after the other."""

    def __init__(self) -> None:
        self.log = MemoryLog()

    def take(self, step: object) -> None:
        if step == "measure":
            self.measure()
        elif isinstance(step, Correction):
            self._correct(step)
        elif isinstance(step, tuple):
            self._drop(step[1])
        else:
            assert isinstance(step, Deployment | Change | Artifact | DeliveryIncident)
            before = self.log.known(step)
            self._touch(FactChange(before, step))
            self.log.put(step)

    def _drop(self, fact: Fact) -> None:
        before = self.log.known(fact)
        if before is not None:
            self._touch(FactChange(before, None))
            self.log.drop(before)

    def _touch(self, change: FactChange) -> None:
        self.log.mark_stale(days_touched(self.log, [change], POLICY, NOW.date()))  # type: ignore[arg-type]

    def _correct(self, correction: Correction) -> None:
        incident = self.log.all_incidents.get(correction.incident)
        if incident is None:
            return
        old = self.log.all_corrections.get(correction.incident)
        named = [correction.deployment, *([old.deployment] if old else [])]
        self.log.mark_stale(days_of_correction(self.log, incident, named, POLICY, NOW.date()))  # type: ignore[arg-type]
        self.log.put_correction(correction)

    def measure(self) -> None:
        measure(self.log, sorted(self.log.stale_days), POLICY, NOW)  # type: ignore[arg-type]


def at_once(log: MemoryLog) -> MemoryLog:
    facts: list[Fact] = [
        *log.all_incidents.values(), *log.all_artifacts.values(), *log.all_changes.values(),
        *log.all_deployments.values(),
    ]  # fmt: skip
    fresh = MemoryLog(sorted(facts, key=lambda fact: (type(fact).__name__, fact.id)), log.all_corrections.values())
    days = [(START - timedelta(days=3) + timedelta(days=day)).date() for day in range(DAYS + 7)]
    keys = [SheetKey(service, "production", day) for service in ("shop", "pay") for day in days]
    measure(fresh, keys, POLICY, NOW)  # type: ignore[arg-type]
    return fresh


def rows(log: MemoryLog) -> dict[SheetKey, tuple[bytes, ...]]:
    """Without what was counted, which is a matter of history."""
    found = {}
    for key, sheet in log.all_sheets.items():
        day = unpack(sheet.body)
        parts = tuple(part.tobytes() for part in (day.deployments, day.changes, day.incidents))
        if any(parts):
            found[key] = parts
    return found


def metrics(sheets: list[Sheet]) -> list[DoraMetrics]:
    return for_scopes(sheets, START + timedelta(hours=7), NOW, POLICY)


@contextmanager
def short_looks() -> Iterator[None]:
    """So few facts reach over every edge."""
    short: dict[str, object] = {
        "CONTEXT": 1,
        "CROWD": 3,
        "VERSIONS": 2,
        "SAME_REVISION": timedelta(hours=3),
        "BEFORE_MERGE": timedelta(hours=30),
    }
    known = {name: getattr(looks, name) for name in short}
    for name, value in short.items():
        setattr(looks, name, value)
    try:
        yield
    finally:
        for name, value in known.items():
            setattr(looks, name, value)


def check(steps: list[object]) -> None:
    kept = Kept()
    for step in steps:
        kept.take(step)
    kept.measure()
    once = at_once(kept.log)
    compare(kept.log, once)


def compare(log: MemoryLog, once: MemoryLog) -> None:
    one, other = rows(log), rows(once)
    differing = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    for key in differing:
        note(f"{key}")
    assert not differing
    assert metrics(list(log.all_sheets.values())) == metrics(list(reversed(once.all_sheets.values())))


def check_one(facts: list[Fact], corrections: list[Correction], step: object) -> None:
    """One thing more, where all was measured before: the days that it touches are enough."""
    kept = Kept()
    kept.log = at_once(MemoryLog(facts, [one for one in corrections if any(one.incident == i.id for i in facts)]))
    kept.take(step)
    kept.measure()
    compare(kept.log, at_once(kept.log))


ONE = st.one_of(FACTS, FACTS, FACTS, CORRECTIONS, st.tuples(st.just("drop"), FACTS))


@settings(max_examples=60)
@given(st.lists(FACTS, min_size=3, max_size=14), st.lists(CORRECTIONS, max_size=2), ONE)
def test_the_days_that_a_fact_touches_are_enough(
    facts: list[Fact], corrections: list[Correction], step: object
) -> None:
    with short_looks():
        check_one(facts, corrections, step)


@settings(max_examples=30)
@given(STEPS)
def test_any_order_gives_what_measuring_once_gives(steps: list[object]) -> None:
    with short_looks():
        check(steps)


@pytest.mark.soak
@settings(max_examples=6_000)
@given(st.lists(FACTS, min_size=3, max_size=14), st.lists(CORRECTIONS, max_size=2), ONE)
def test_they_are_in_thousands_of_cases(facts: list[Fact], corrections: list[Correction], step: object) -> None:
    with short_looks():
        check_one(facts, corrections, step)


@pytest.mark.soak
@settings(max_examples=5_000)
@given(STEPS)
def test_thousands_of_orders_do(steps: list[object]) -> None:
    with short_looks():
        check(steps)


@given(st.lists(FACTS, min_size=1, max_size=20), st.randoms())
def test_facts_in_another_order_are_judged_alike(facts: list[Fact], shuffle: object) -> None:
    by_id = list({(type(fact), fact.id): fact for fact in facts}.values())
    once = at_once(MemoryLog(by_id))
    shuffle.shuffle(by_id)  # type: ignore[attr-defined]
    assert rows(once) == rows(at_once(MemoryLog(by_id)))
