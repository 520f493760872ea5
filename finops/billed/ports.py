"""What the daemon of billed costs needs from outside."""

from datetime import datetime
from typing import Protocol

from finops.billed.ledger.partition import Catalogue
from finops.billed.model import CostSource
from finops.billed.outcome import AS_USUAL, Asked, Outcome, Report, quiet


class Importing(Protocol):
    """Imports one source into the ledger."""

    def run(self, source: CostSource, now: datetime, *, asked: Asked = AS_USUAL, report: Report = quiet) -> Outcome:
        """Raises `Transient` when its files cannot be fetched now, `Permanent` when the ledger is damaged."""
        ...


class Catalogued(Protocol):
    """A ledger that tells what it holds."""

    def catalogue(self) -> Catalogue:
        """Raises `Transient` or `Permanent` when it cannot be read."""
        ...
