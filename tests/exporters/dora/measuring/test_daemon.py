"""Facts in a real store become sheets, counters, events and metrics."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from controlplane import delivery_names as names
from controlplane.model.delivery import Artifact, Change, Correction, DeliveryIncident, Deployment, Sheet, SheetKey
from controlplane.store import SqlStore
from exporters.dora.measuring.daemon import MeasureDaemon, Turn
from exporters.dora.measuring.stored import StoredMetrics
from exporters.dora.measuring.windows import Level
from exporters.dora.model import DoraMetrics
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning.reach import FactChange, days_of_correction, days_touched
from exporters.dora.sheets.packing import unpack
from tests.exporters.dora.reckoning.memory_log import Fact
from tests.exporters.dora.reckoning.telling import MONDAY, at, read

POLICY = DeliveryPolicy()
NOW = at("3/12:00")
STORY = """
    1/07:00 change c1 rev=r1 first=1/06:00 opened=1/06:30
    1/08:00 deploys d1 rev=r1
    2/07:00 change c2 rev=r2 first=2/06:00
    2/08:00 deploys d2 rev=r2
    2/08:30 incident i1 until=2/09:30
    2/09:00 deploys d3 v=9 unplanned remedies=i1
"""


def put(store: SqlStore, text: str, now: str = "3/12:00") -> None:
    """As the daemon of facts does it."""
    facts, corrections = read(text)
    with store.transaction() as transaction:
        log = transaction.delivery
        for fact in facts:
            change = FactChange(_known(log, fact), fact)
            log.mark_stale(days_touched(log, [change], POLICY, at(now).date()))
            _put(log, fact)
        for correction in corrections:
            correct(store, correction, transaction)


def correct(store: SqlStore, correction: Correction, transaction: object) -> None:
    log = transaction.delivery  # type: ignore[attr-defined]
    (incident,) = log.delivery_incidents([correction.incident]).values()
    log.mark_stale(days_of_correction(log, incident, [correction.deployment], POLICY, NOW.date()))
    log.put_correction(correction)


def _known(log: object, fact: Fact) -> Fact | None:
    readers = {
        Deployment: "deployments",
        Change: "changes",
        Artifact: "artifacts",
        DeliveryIncident: "delivery_incidents",
    }
    found: Fact | None = getattr(log, readers[type(fact)])([fact.id]).get(fact.id)
    return found


def _put(log: object, fact: Fact) -> None:
    writers = {
        Deployment: "put_deployments",
        Change: "put_changes",
        Artifact: "put_artifacts",
        DeliveryIncident: "put_incidents",
    }
    getattr(log, writers[type(fact)])([fact])


def daemon(store: SqlStore, policy: DeliveryPolicy = POLICY) -> MeasureDaemon:
    return MeasureDaemon(store, lambda: policy)


def counters(store: SqlStore) -> dict[str, Decimal]:
    with store.transaction(read_only=True) as transaction:
        rows = transaction.delivery.counters()
    return {f"{row.name}{'' if row.labels == '{}' else row.labels}": row.value for row in rows}


def sheets(store: SqlStore) -> list[Sheet]:
    with store.transaction(read_only=True) as transaction:
        return transaction.delivery.sheets(at("1/00:00").date(), at("60/00:00").date())


def measured(
    store: SqlStore, policy: DeliveryPolicy = POLICY, levels: Sequence[Level] = tuple(Level)
) -> list[DoraMetrics]:
    with store.transaction(read_only=True) as transaction:
        return StoredMetrics()(transaction.delivery, MONDAY, at("3/00:00"), policy, levels)


def told(store: SqlStore) -> list[tuple[str, str, str]]:
    with store.transaction(read_only=True) as transaction:
        events = transaction.events.after(0, 100, [names.EVENT_ATTRIBUTED])
    data = [one.event.data for one in events]
    return [(str(one["incident"]), str(one["deployment"]), str(one["reason"])) for one in data]


def test_facts_become_counters_and_metrics(store: SqlStore) -> None:
    put(store, STORY)
    turn = daemon(store).run_once(NOW)
    assert turn.is_done
    found = counters(store)
    assert found[names.DEPLOYMENTS] == 3
    assert found[f'{names.FAILED_DEPLOYMENTS}{{"reason":"incident"}}'] == 1
    assert found[f'{names.REWORK_DEPLOYMENTS}{{"reason":"remedy"}}'] == 1
    assert found[f'{names.INCIDENTS}{{"attributed":"true"}}'] == 1
    assert found[f'{names.LEAD_TIME}_bucket{{"le":"14400"}}'] == 2  # 2:00 and 2:00
    assert (found[f"{names.LEAD_TIME}_sum"], found[f"{names.LEAD_TIME}_count"]) == (Decimal(14_400), Decimal(2))
    assert found[f'{names.STAGE_TIME}_sum{{"stage":"coding"}}'] == 1800
    assert found[f"{names.RECOVERY_TIME}_sum"] == found[f"{names.RESTORE_TIME}_sum"] == 3600
    service, environment = measured(store)
    assert service.frequency.deployments == environment.frequency.deployments == 3
    assert service.lead_time.median.value == 7200
    assert service.coverage_from == at("1/08:00")
    assert told(store) == [("i1", "d2", "window")]


def test_measuring_again_counts_nothing_twice(store: SqlStore) -> None:
    put(store, STORY)
    daemon(store).run_once(NOW)
    before, bodies = counters(store), [sheet.body for sheet in sheets(store)]
    with store.transaction() as transaction:
        transaction.delivery.mark_stale([sheet.key for sheet in sheets(store)])
    turn = daemon(store).run_once(NOW + timedelta(minutes=1))
    assert turn == Turn(measured=2, deployments=3)
    assert counters(store) == before
    assert [sheet.body for sheet in sheets(store)] == bodies
    assert len(told(store)) == 1


def test_an_incident_that_ends_is_measured_again(store: SqlStore) -> None:
    put(store, "2/08:00 deploys d1 v=1\n2/08:30 incident i1")
    daemon(store).run_once(NOW)
    (before,) = measured(store, levels=[Level.SERVICE])
    assert (before.open_failures, before.open_incidents) == (1, 1)
    put(store, "2/08:30 incident i1 until=2/10:00")
    daemon(store).run_once(NOW)
    (after,) = measured(store, levels=[Level.SERVICE])
    assert (after.open_failures, after.open_incidents) == (0, 0)
    assert after.recovery_time.median.value == 5400
    assert counters(store)[f"{names.RECOVERY_TIME}_sum"] == 5400
    assert counters(store)[f'{names.FAILED_DEPLOYMENTS}{{"reason":"incident"}}'] == 1


def test_a_correction_moves_the_failure_but_counters_never_fall(store: SqlStore) -> None:
    put(store, STORY)
    daemon(store).run_once(NOW)
    put(store, "3/12:00 correction i1 to=d1")
    daemon(store).run_once(NOW + timedelta(minutes=1))
    with store.transaction(read_only=True) as transaction:
        days = [unpack(sheet.body).deployments["failure"].tolist() for sheet in transaction.delivery.sheets(
            at("1/00:00").date(), at("2/00:00").date())]  # fmt: skip
    assert days == [[1], [0, 0]]
    assert counters(store)[f'{names.FAILED_DEPLOYMENTS}{{"reason":"incident"}}'] == 2
    assert told(store) == [("i1", "d2", "window"), ("i1", "d1", "corrected")]
    put(store, "3/12:00 correction i1 withdrawn")
    daemon(store).run_once(NOW + timedelta(minutes=2))
    assert told(store)[2:] == [("i1", "d2", "window")]


def test_exemplars_lead_to_the_newest_deployment(store: SqlStore) -> None:
    put(store, STORY)
    with store.transaction() as transaction:
        (d2,) = transaction.delivery.deployments(["d2"]).values()
        transaction.delivery.put_deployments([replace(d2, trace_id="4bf92f3577b34da6a3ce929d0e0e4736")])
    daemon(store).run_once(NOW)
    with store.transaction(read_only=True) as transaction:
        exemplars = {row.name: row.exemplar for row in transaction.delivery.counters() if row.exemplar}
    assert exemplars[f"{names.LEAD_TIME}_bucket"] == {
        "deployment": "d2",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "value": "7200",
        "at": f"{at('2/08:00').timestamp():.3f}",
    }


def test_other_rules_measure_every_day_again(store: SqlStore) -> None:
    put(store, "1/08:00 deploys d1 v=1\n1/13:00 incident i1 until=1/14:00\n20/08:00 deploys d2 v=2", now="21/00:00")
    later = at("21/00:00")
    first = daemon(store)
    first.run_once(later)
    assert [one.fail_rate.value for one in measured(store, levels=[Level.SERVICE])] == [0]
    wide = replace(POLICY, attribution_window=timedelta(hours=6))
    other = daemon(store, wide)
    turns = [other.run_once(later) for _ in range(5)]
    assert sum(turn.measured for turn in turns) == 2
    assert [one.fail_rate.value for one in measured(store, levels=[Level.SERVICE])] == [1]
    assert other.run_once(later) == Turn()


def test_a_sheet_that_cannot_be_read_is_measured_again_and_counts_nothing_anew(store: SqlStore) -> None:
    put(store, STORY)
    working = daemon(store)
    working.run_once(NOW)
    before = counters(store)
    key = SheetKey("shop", "production", at("2/00:00").date())
    with store.transaction() as transaction:
        transaction.delivery.put_sheets([Sheet(key, b"\x63broken")])
    with store.transaction(read_only=True) as transaction:
        read_by = StoredMetrics(working.suspect)
        (found,) = read_by(transaction.delivery, MONDAY, at("3/00:00"), POLICY)
    assert found.frequency.deployments == 1
    working.run_once(NOW)
    assert [one.frequency.deployments for one in measured(store, levels=[Level.SERVICE])] == [3]
    assert counters(store) == before


def test_batches_are_bounded_and_the_rest_waits(store: SqlStore) -> None:
    put(store, "\n".join(f"{day}/08:00 deploys d{day} v={day}" for day in range(1, 11)), now="12/00:00")
    with store.transaction(read_only=True) as transaction:
        waiting = transaction.delivery.count_stale()
    turn = MeasureDaemon(store, lambda: POLICY, batch=3, batches=2).run_once(at("12/00:00"))
    assert turn.measured == 6
    assert not turn.is_done
    with store.transaction(read_only=True) as transaction:
        assert transaction.delivery.count_stale() == waiting - 6


def test_nothing_stale_is_nothing_done(store: SqlStore) -> None:
    assert daemon(store).run_once(NOW) == Turn()


def test_a_days_sheet_does_not_depend_on_batches(store: SqlStore) -> None:
    put(store, STORY)
    MeasureDaemon(store, lambda: POLICY, batch=1).run_once(NOW)
    one = [sheet.body for sheet in sheets(store)]
    with store.transaction() as transaction:
        transaction.delivery.mark_stale([sheet.key for sheet in sheets(store)])
    MeasureDaemon(store, lambda: POLICY, batch=1000).run_once(NOW)
    assert [sheet.body for sheet in sheets(store)] == one
