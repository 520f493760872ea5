"""The same alerts delivered to two replicas at once, on PostgreSQL: one incident, told once."""

from concurrent.futures import ThreadPoolExecutor

from controlplane.model.incident import IncidentState
from controlplane.store import migrate, open_store
from tests.alerts.incidents.bench import Bench, alert, ended


def test_two_replicas_that_receive_the_same_alerts_open_one_incident_of_each_key(postgresql_url: str) -> None:
    migrate(postgresql_url)
    stores = [open_store(postgresql_url) for _ in range(2)]
    benches = [Bench(store) for store in stores]
    batches = [[alert(slo=f"slo{number}", pod=str(pod)) for pod in range(3)] for number in range(6)]
    with ThreadPoolExecutor(4) as pool:
        for batch in batches:
            list(pool.map(lambda bench, batch=batch: bench.receive(*batch, receiver="pages"), benches * 2))
            latest = max(benches[0].incidents(), key=lambda each: each.number)
            # One acknowledges while the other hears that it is over.
            acknowledging = pool.submit(
                benches[0].desk.acknowledge, latest.id, by="ann", via="cli", now=latest.opened_at
            )
            ending = pool.submit(benches[1].receive, *map(ended, batch), receiver="pages")
            acknowledging.result()
            ending.result()
    found = benches[0].incidents()
    assert sorted(each.number for each in found) == list(range(1, 7))
    assert {each.state for each in found} == {IncidentState.ACKNOWLEDGED}
    assert all(each.quiet_since is not None for each in found)
    for each in found:
        assert benches[1].read(lambda transaction, each=each: transaction.incidents.count_alerts(each.id)) == (3, 0)
    told = [(due.message.channel, due.message.key) for due in benches[0].due()]
    assert sorted(told) == sorted((channel, each.id) for each in found for channel in ("pagerduty:sre", "slack:#ops"))
    for store in stores:
        store.close()
