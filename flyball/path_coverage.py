"""Coverage of golden paths from whatever can be asked: files, Prometheus, the database."""

from collections.abc import Sequence
from datetime import datetime

from controlplane.ports import MetricsBackend, Permanent, Store, Transient
from synthetics.golden_paths.coverage import Coverage, coverage
from synthetics.golden_paths.evidence import CheckEvidence, CheckKey, Evidence
from synthetics.golden_paths.model import GoldenPath, RouteInventory
from synthetics.golden_paths.reading import checks_run, routes_seen


def path_coverage(
    paths: Sequence[GoldenPath],
    inventories: Sequence[RouteInventory],
    now: datetime,
    *,
    backend: MetricsBackend | None = None,
    store: Store | None = None,
) -> Coverage:
    """What is watched and what is not. None is not asked; what does not answer leaves things unknown, never good."""
    seen = routes_seen(backend, inventories, paths, now) if backend else None
    checks, failure = _checks(store, paths, now) if store else (None, "")
    return coverage(paths, Evidence(seen, checks, failure), now)


def _checks(
    store: Store, paths: Sequence[GoldenPath], now: datetime
) -> tuple[dict[CheckKey, CheckEvidence] | None, str]:
    try:
        store.ping()
        with store.transaction(read_only=True) as transaction:
            return checks_run(transaction.checks, paths, now), ""
    except (Transient, Permanent) as error:
        return None, str(error)
