"""The ledgers that commands about money read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from controlplane.adapters.prometheus import PrometheusBackend
    from controlplane.ports import CostLedger
    from finops.billed.adapters.duckdb_ledger import BilledLedger
    from flyball.settings import Settings

_QUERY_SECONDS: Final = 60.0


@contextmanager
def prometheus_of(settings: "Settings") -> "Iterator[PrometheusBackend]":
    """The workspace's Prometheus, for as long as the block."""
    from controlplane.adapters.prometheus import PrometheusBackend

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    backend = PrometheusBackend(settings.prometheus_url, credentials=credentials, timeout_seconds=_QUERY_SECONDS)
    try:
        yield backend
    finally:
        backend.close()


def declared_ledger(settings: "Settings") -> "BilledLedger":
    """The ledger that `flyball cost import` fills, with dimensions as the workspace's sources declare them."""
    from controlplane.adapters.files import read_folder
    from finops.billed.adapters.duckdb_ledger import open_ledger
    from finops.billed.declared import declared
    from finops.billed.query.dimensions import dimensions_of
    from flyball.money.reading import documents_in

    files, _ = read_folder(settings.folder)
    return open_ledger(settings.cost_directory, dimensions_of(declared(documents_in(files)).values))


@contextmanager
def billed_ledger(settings: "Settings") -> "Iterator[CostLedger]":
    """The same. Raises `Permanent` when nothing was imported."""
    from controlplane.ports import Permanent

    if not settings.cost_directory.is_dir():
        raise Permanent(f"there is no billed ledger in {settings.cost_directory.name}/: flyball cost import makes one")
    yield declared_ledger(settings)


def estimated_ledger(backend: "PrometheusBackend") -> "CostLedger":
    """The ledger that recording rules write."""
    from finops.pricing.estimated import EstimatedLedger

    return EstimatedLedger(backend)
