"""What a workspace's files say about checks from outside, where the files are known to be right."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from controlplane.model.generation import TextFile
from controlplane.model.slo import SLO
from controlplane.specfile import Document, SourceFile
from flyball.document_records import record_text
from flyball.reading_kinds import read_kinds
from flyball.synthetics.declared import KINDS, NO_CHECKS, ChecksDeclared, checks_of

RECORD_FILE: Final = "flyball-checks.jsonl"  # not *.yaml, so that no rule engine reads it


@dataclass(frozen=True, slots=True)
class CheckFiles:
    """What files say about checks, and the record of it that lies beside the rules made from it; none without any."""

    declared: ChecksDeclared = NO_CHECKS
    records: tuple[TextFile, ...] = ()


def checks_in(files: Iterable[SourceFile], slos: Iterable[SLO]) -> CheckFiles:
    """What the files say; mistakes in them are told elsewhere (`flyball.examining`)."""
    documents = check_documents(files)
    if not documents:
        return CheckFiles()
    declared, _ = checks_of(documents, frozenset(slo.name for slo in slos))
    return CheckFiles(declared, (TextFile(RECORD_FILE, record_text(documents)),))


def check_documents(files: Iterable[SourceFile]) -> tuple[Document, ...]:
    """The documents about checks, in the order of the files; those that are wrong in themselves are left out."""
    return read_kinds(files, KINDS)[0]
