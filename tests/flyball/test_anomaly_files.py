"""Files that are wrong end no anomaly: nobody has said that its detector is declared no more."""

from datetime import UTC, datetime
from pathlib import Path

from controlplane.model.anomaly import Episode
from controlplane.store import SqlStore
from tests.flyball.running import replica, settings_in

AT = datetime(2026, 11, 1, tzinfo=UTC)
OPEN = Episode("e", "traffic", "{}", {}, "point", AT, None, AT, None, None, None, None, None)
DETECTOR = """\
apiVersion: flyball.dev/v1
kind: AnomalyDetector
metadata: {name: traffic}
spec: {query: sum (traffic), step: 5m, severity: ticket}
"""


def test_files_that_are_wrong_from_the_start_end_nothing(tmp_path: Path) -> None:
    file, settings = tmp_path / "detectors.yaml", settings_in(tmp_path)
    file.write_text(DETECTOR + "  step: [")
    with replica(settings) as process:
        store = process.services.store
        with store.transaction() as transaction:
            transaction.anomalies.put_episodes([OPEN])
        process.run("anomalies")
        assert _is_open(store)
        file.write_text(DETECTOR.replace("traffic}", "other}"))
        process.run("files")
        process.run("anomalies")
        assert not _is_open(store)


def _is_open(store: SqlStore) -> bool:
    with store.transaction(read_only=True) as transaction:
        return bool(transaction.anomalies.open_episodes())
