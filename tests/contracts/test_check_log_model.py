"""Whatever reports come in whatever order, however often: the store holds what a dictionary would."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.model.check import CheckKind, CheckResult, Outcome, ReportHead
from controlplane.store import SqlStore
from tests.contracts.checking import NOON, result
from tests.contracts.storing import SECOND

_NAMES = count()  # each example has checks of its own: the database is not emptied in between
REGIONS = ("eu", "us")


@dataclass(frozen=True)
class Sent:
    """A report: results by check and turn."""

    region: str
    sequence: int
    runs: tuple[tuple[int, int], ...]


SENT = st.builds(
    Sent,
    st.sampled_from(REGIONS),
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12)), max_size=6).map(tuple),
)


def run_of(prefix: str, region: str, check: int, turn: int) -> CheckResult:
    outcome = list(Outcome)[(check + turn) % 3]
    return result(0, check=f"{prefix}{check}", region=region, started_at=NOON + turn * 600 * SECOND, outcome=outcome)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SENT, max_size=12), st.integers(1, 4))
def test_the_store_holds_what_a_dictionary_would(store: SqlStore, reports: list[Sent], newest: int) -> None:
    prefix = f"model-{next(_NAMES)}-"
    kept: dict[tuple[str, str, str, object], CheckResult] = {}
    known: set[tuple[str, int]] = set()
    with store.transaction(read_only=True) as transaction:
        cursor = transaction.checks.last_arrival()
    for sent in reports:
        runs = [run_of(prefix, sent.region, *run) for run in sent.runs]
        new = {run.key: run for run in runs if run.key not in kept} if (sent.region, sent.sequence) not in known else {}
        known.add((sent.region, sent.sequence))
        kept |= new
        with store.transaction() as transaction:
            head = ReportHead(sent.region, prefix, sent.sequence, NOON)
            assert transaction.checks.take(head, runs, NOON) == len(new)
    _compare(store, prefix, list(kept.values()), cursor, newest)


def _compare(store: SqlStore, prefix: str, kept: list[CheckResult], cursor: int, newest: int) -> None:
    by_start = sorted(kept, key=lambda each: (each.started_at, each.key))
    last: Counter[tuple[str, str]] = Counter()
    latest = []
    for each in reversed(by_start):
        last[each.check, each.region] += 1
        if last[each.check, each.region] <= newest:
            latest.append(each)
    with store.transaction(read_only=True) as transaction:
        checks = transaction.checks
        arrived, _ = checks.arrived(cursor, 1000)
        assert sorted(arrived, key=lambda each: (each.started_at, each.key)) == by_start
        assert [each for each in checks.latest(newest, NOON) if each.check.startswith(prefix)] == latest[::-1]
        for number in range(2):
            name = f"{prefix}{number}"
            mine = [each for each in by_start if each.check == name]
            between = checks.between(CheckKind.PROBE, name, NOON, NOON + timedelta(days=1))
            assert between == sorted(mine, key=lambda each: (each.started_at, each.region))
            sums = (checks.hours(NOON - timedelta(hours=1), NOON + timedelta(days=1), [name]), checks.totals())
            for found in sums:
                counted = [hour for hour in found if hour.check == name]
                outcomes = Counter(each.outcome for each in mine)
                assert sum(hour.ok for hour in counted) == outcomes[Outcome.OK]
                assert sum(hour.failed for hour in counted) == outcomes[Outcome.FAILED]
                assert sum(hour.fault for hour in counted) == outcomes[Outcome.FAULT]
                assert sum(hour.seconds for hour in counted) == pytest.approx(0.25 * outcomes[Outcome.OK])
