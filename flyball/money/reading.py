"""The documents about money of a workspace whose files are known to be right, and the record kept of them.

Only files that may hold such a document are read: a workspace may have thousands of others.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from controlplane.model.generation import TextFile
from controlplane.problems import Problem
from controlplane.specfile import Document, SourceFile
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
    declared, _ = money_of(documents)
    text = "".join(f"{_line(each)}\n" for each in _in_order(documents))
    return MoneyFiles(declared, (TextFile(RECORD_FILE, text),))


def documents_in(files: Iterable[SourceFile]) -> tuple[Document, ...]:
    """The documents about money, in the order of the files; those that are wrong in themselves are left out."""
    return read_documents(files)[0]


def read_documents(files: Iterable[SourceFile]) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """The same, and what is wrong in the files that hold any."""
    return read_kinds(files, OWN)


def money_recorded(records: Iterable[TextFile]) -> MoneyDeclared:
    """What was declared when these records were made."""
    documents = [each for file in records if file.name == RECORD_FILE for each in recorded_documents(file.text)]
    return money_of(documents)[0]


def recorded_documents(record: str) -> tuple[Document, ...]:
    """The documents of a record, at places of their own; those that this version cannot read are left out."""
    files = []
    for number, line in enumerate(record.splitlines()):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and isinstance(entry.get("text"), str):
            files.append(SourceFile(f"applied-{number}.yaml", entry["text"].encode("utf-8", "surrogatepass")))
    return documents_in(files)


def _in_order(documents: Sequence[Document]) -> list[Document]:
    return sorted(documents, key=lambda document: (document.kind.name, _name(document)))


def _name(document: Document) -> str:
    return str(getattr(getattr(document.value, "metadata", None), "name", ""))


def _line(document: Document) -> str:
    """The document as JSON, which YAML reads as well: comments and places are gone."""
    value = document.value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    entry = {"kind": document.kind.name, "name": _name(document), "text": text}
    return json.dumps(entry, ensure_ascii=False, sort_keys=True)
