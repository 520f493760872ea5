"""All the way: from a prober's results over HTTP into the store, and to verdicts."""

from datetime import timedelta
from pathlib import Path

from controlplane.model.check import CheckKind, RegionState, VerdictKind
from controlplane.store import SqlStore
from synthetics.regions.daemon import Judging
from synthetics.regions.intake import StoreDelivery
from synthetics.regions.model import Region, Watch, Watched
from synthetics.regions.reporting import Reporter
from synthetics.regions.spool import Spool
from tests.contracts.checking import NOON, failed, result
from tests.synthetics.regions.reporting import Plane, drain, reporter, serving, spool

SECONDS = timedelta(seconds=1)
WATCH = Watch((Watched("gateway", CheckKind.PROBE, 30 * SECONDS),), (Region("eu"), Region("local")))


def test_results_of_two_regions_become_a_verdict_and_an_event(store: SqlStore, tmp_path: Path) -> None:
    plane = Plane(store)
    judging = Judging(store, lambda: WATCH)
    own = Spool(None, region="local", prober="here")
    here = Reporter(own, StoreDelivery(store), region="local", prober="here", version="0.1.0", chance=lambda: 0.5)
    with serving(plane.app()) as url:
        there = spool(tmp_path)
        over_http = reporter(url, there)
        for second, make in ((0, result), (30, failed), (31, failed)):
            there.put(make(second))
            own.put(make(second, region="local"))
            plane.clock.time = NOON + (second + 1) * SECONDS
            drain(over_http, plane.clock.time)
            drain(here, plane.clock.time)
            judged = judging.run_once(plane.clock.time)
    assert there.waiting == own.waiting == 0
    assert [event.data["to"] for event in judged.events] == ["global"]
    with store.transaction(read_only=True) as transaction:
        found = {verdict.key: verdict for verdict in transaction.checks.verdicts()}
    verdict = found["probe", "gateway"]
    assert (verdict.kind, verdict.needed) == (VerdictKind.GLOBAL, 2)
    assert [(each.region, each.state) for each in verdict.regions] == [
        ("eu", RegionState.DOWN),
        ("local", RegionState.DOWN),
    ]
    assert plane.counted() == {("eu", "taken"): 3.0}
