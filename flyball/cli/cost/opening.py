"""The ledger and Prometheus, open for as long as a command about cost needs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyball.money.allocating import Sources
    from flyball.settings import Settings


@contextmanager
def opened(settings: "Settings", *, billed: bool, beside: Path | None = None) -> "Iterator[Sources]":
    """Sources of cost and weights; `beside` is the folder of the plan, where its CSV files lie.

    Raises `Transient` and `Permanent` as the ports do.
    """
    from flyball.cli.cost.ledgers import billed_ledger, estimated_ledger, prometheus_of
    from flyball.money.allocating import Sources

    folder = beside or settings.folder
    with prometheus_of(settings) as backend:
        if billed:
            with billed_ledger(settings) as ledger:
                yield Sources(ledger, backend, lambda name: _bounded(folder / name))
        else:
            yield Sources(estimated_ledger(backend), backend, lambda name: _bounded(folder / name))


def _bounded(path: Path) -> bytes:
    """The file's bytes, one more than is allowed at most."""
    from finops.allocation.weighing import MOST_BYTES

    with path.open("rb") as stream:
        return stream.read(MOST_BYTES + 1)
