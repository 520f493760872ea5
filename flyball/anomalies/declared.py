"""Every document about anomalies, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alerts.anomaly import kinds
from controlplane.problems import Problem
from controlplane.specfile import Document, Kind

if TYPE_CHECKING:  # its readers take time to import: they are for workspaces that have such documents
    from alerts.anomaly.model import AnomalyDetector

KINDS: Final[tuple[Kind, ...]] = kinds.KINDS


@dataclass(frozen=True, slots=True)
class AnomaliesDeclared:
    """The detectors that are declared."""

    detectors: "tuple[AnomalyDetector, ...]" = ()

    @property
    def is_empty(self) -> bool:
        """Whether no document is about anomalies."""
        return not self.detectors

    def in_words(self) -> str:
        """How much is declared: `2 anomaly detectors`; empty where nothing is."""
        count = len(self.detectors)
        return f"{count:,} anomaly detector{'' if count == 1 else 's'}" if count else ""


NO_ANOMALIES: Final = AnomaliesDeclared()


def is_about_anomalies(document: Document) -> bool:
    """Whether it is of one of these kinds."""
    return document.kind in KINDS


def anomalies_of(documents: Sequence[Document]) -> tuple[AnomaliesDeclared, tuple[Problem, ...]]:
    """What the documents declare, those of other kinds aside, and what is wrong with it."""
    own = [document for document in documents if is_about_anomalies(document)]
    if not own:
        return NO_ANOMALIES, ()
    from alerts.anomaly.declared import declared

    found = declared(own)
    return AnomaliesDeclared(found.values), found.problems
