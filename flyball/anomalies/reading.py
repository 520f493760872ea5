"""What a workspace's files say about anomalies, where the files are known to be right."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from controlplane.model.generation import TextFile
from controlplane.specfile import Document, SourceFile
from flyball.anomalies.declared import KINDS, NO_ANOMALIES, AnomaliesDeclared, anomalies_of
from flyball.document_records import record_text
from flyball.reading_kinds import read_kinds

RECORD_FILE: Final = "flyball-anomalies.jsonl"  # not *.yaml, so that no rule engine reads it


@dataclass(frozen=True, slots=True)
class AnomalyFiles:
    """What files say about anomalies, and the record of it that lies beside the rules; none without any."""

    declared: AnomaliesDeclared = NO_ANOMALIES
    records: tuple[TextFile, ...] = ()


def anomalies_in(files: Iterable[SourceFile]) -> AnomalyFiles:
    """What the files say; mistakes in them are told elsewhere (`flyball.examining`)."""
    documents = anomaly_documents(files)
    if not documents:
        return AnomalyFiles()
    declared, _ = anomalies_of(documents)
    return AnomalyFiles(declared, (TextFile(RECORD_FILE, record_text(documents)),))


def anomaly_documents(files: Iterable[SourceFile]) -> tuple[Document, ...]:
    """The documents about anomalies, in the order of the files; those that are wrong in themselves are left out."""
    return read_kinds(files, KINDS)[0]
