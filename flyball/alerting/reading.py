"""What a workspace's files say about who is told of alerts, where the files are known to be right."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from alerts.model import AlertsDeclared
from controlplane.model.generation import TextFile
from controlplane.specfile import Document, SourceFile
from flyball.alerting.declared import KINDS, NO_ALERTS, alerts_of
from flyball.document_records import record_text, recorded_documents
from flyball.reading_kinds import read_kinds

RECORD_FILE: Final = "flyball-alerts.jsonl"  # not *.yaml, so that no rule engine reads it


@dataclass(frozen=True, slots=True)
class AlertFiles:
    """What files say about alerts, and the record of it that lies beside the rules made from it; none without any."""

    declared: AlertsDeclared = NO_ALERTS
    records: tuple[TextFile, ...] = ()


def alerts_in(files: Iterable[SourceFile]) -> AlertFiles:
    """What the files say; mistakes in them are told elsewhere (`flyball.examining`)."""
    documents = alert_documents(files)
    if not documents:
        return AlertFiles()
    declared, _ = alerts_of(documents)
    return AlertFiles(declared, (TextFile(RECORD_FILE, record_text(documents)),))


def alerts_recorded(record: str) -> AlertsDeclared:
    """What was declared when this record was made."""
    return alerts_of(recorded_documents(record, KINDS))[0]


def alert_documents(files: Iterable[SourceFile]) -> tuple[Document, ...]:
    """The documents about alerts, in the order of the files; those that are wrong in themselves are left out."""
    return read_kinds(files, KINDS)[0]
