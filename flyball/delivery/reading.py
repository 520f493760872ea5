"""What a workspace's files say about deliveries, where the files are known to be right."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from controlplane.model.generation import TextFile
from controlplane.specfile import Document, SourceFile
from flyball.delivery.declared import KINDS, NO_DELIVERY, DeliveryDeclared, delivery_of
from flyball.document_records import record_text, recorded_documents
from flyball.reading_kinds import read_kinds

RECORD_FILE: Final = "flyball-delivery.jsonl"  # not *.yaml, so that no rule engine reads it


@dataclass(frozen=True, slots=True)
class DeliveryFiles:
    """What files say about deliveries, and the record of it that lies beside the rules; none without any."""

    declared: DeliveryDeclared = NO_DELIVERY
    records: tuple[TextFile, ...] = ()


def delivery_in(files: Iterable[SourceFile]) -> DeliveryFiles:
    """What the files say; mistakes in them are told elsewhere (`flyball.examining`)."""
    documents = delivery_documents(files)
    if not documents:
        return DeliveryFiles()
    declared, _ = delivery_of(documents)
    return DeliveryFiles(declared, (TextFile(RECORD_FILE, record_text(documents)),))


def delivery_recorded(record: str) -> DeliveryDeclared:
    """What was declared when this record was made."""
    return delivery_of(recorded_documents(record, KINDS))[0]


def delivery_documents(files: Iterable[SourceFile]) -> tuple[Document, ...]:
    """The documents about deliveries, in the order of the files; those that are wrong in themselves are left out."""
    return read_kinds(files, KINDS)[0]
