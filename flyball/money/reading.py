"""The documents about money of a workspace whose files are known to be right, and the record kept of them.

Only files that may hold such a document are read: a workspace may have thousands of others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from controlplane.model.generation import TextFile
from controlplane.problems import Problem
from controlplane.specfile import Document, SourceFile
from flyball.document_records import record_text, recorded_documents
from flyball.money.declared import KINDS as OWN
from flyball.money.declared import NOTHING, MoneyDeclared, money_of
from flyball.reading_kinds import read_kinds

RECORD_FILE: Final = "flyball-money.jsonl"  # not *.yaml, so that no rule engine reads it


@dataclass(frozen=True, slots=True)
class MoneyFiles:
    """What files say about money, and the record of it that lies beside the rules made from it; none without any."""

    declared: MoneyDeclared = NOTHING
    records: tuple[TextFile, ...] = ()


def money_in(files: Iterable[SourceFile]) -> MoneyFiles:
    """What the files say; mistakes in them are told elsewhere (`flyball.examining`)."""
    documents = documents_in(files)
    if not documents:
        return MoneyFiles()
    declared, _ = money_of(documents, _is_elsewhere)
    return MoneyFiles(declared, (TextFile(RECORD_FILE, record_text(documents)),))


def documents_in(files: Iterable[SourceFile]) -> tuple[Document, ...]:
    """The documents about money, in the order of the files; those that are wrong in themselves are left out."""
    return read_documents(files)[0]


def read_documents(files: Iterable[SourceFile]) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """The same, and what is wrong in the files that hold any."""
    return read_kinds(files, OWN)


def money_recorded(records: Iterable[TextFile]) -> MoneyDeclared:
    """What was declared when these records were made."""
    documents = [each for file in records if file.name == RECORD_FILE for each in recorded_documents(file.text, OWN)]
    return money_of(documents, _is_elsewhere)[0]


def _is_elsewhere(name: str) -> bool:
    """Only documents about money were read: what they name of other kinds is somewhere else."""
    return True
