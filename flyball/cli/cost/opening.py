"""The ledger and Prometheus, open for as long as a command about cost needs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flyball.money.allocating import Sources
    from flyball.settings import Settings

_QUERY_SECONDS: Final = 120.0


@contextmanager
def opened(settings: "Settings", *, billed: bool, beside: Path | None = None) -> "Iterator[Sources]":
    """Sources of cost and weights; `beside` is the folder of the plan, where its CSV files lie.

    Raises `Transient` and `Permanent` as the ports do.
    """
    from controlplane.adapters.prometheus import PrometheusBackend
    from finops.pricing.estimated import EstimatedLedger
    from flyball.money.allocating import Sources

    folder = beside or settings.folder
    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    backend = PrometheusBackend(settings.prometheus_url, credentials=credentials, timeout_seconds=_QUERY_SECONDS)
    try:
        if billed:
            from flyball.cli.cost.ledgers import billed_ledger

            with billed_ledger(settings) as ledger:
                yield Sources(ledger, backend, lambda name: _bounded(folder / name))
        else:
            yield Sources(EstimatedLedger(backend), backend, lambda name: _bounded(folder / name))
    finally:
        backend.close()


def _bounded(path: Path) -> bytes:
    """The file's bytes, one more than is allowed at most."""
    from finops.allocation.weighing import MOST_BYTES

    with path.open("rb") as stream:
        return stream.read(MOST_BYTES + 1)
