"""What documents said when rules were made of them: a record that lies beside the rules, for plans."""

import json
from collections.abc import Sequence

from controlplane.specfile import Document, Kind, SourceFile
from flyball.reading_kinds import read_kinds


def record_text(documents: Sequence[Document]) -> str:
    """A line each, in the order of kinds and names; comments and places are gone."""
    return "".join(f"{_line(each)}\n" for each in sorted(documents, key=_key))


def recorded_documents(record: str, kinds: Sequence[Kind]) -> tuple[Document, ...]:
    """The documents of a record, at places of their own; those that this version cannot read are left out."""
    files = []
    for number, line in enumerate(record.splitlines()):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and isinstance(entry.get("text"), str):
            files.append(SourceFile(f"applied-{number}.yaml", entry["text"].encode("utf-8", "surrogatepass")))
    return read_kinds(files, kinds)[0]


def name_of(document: Document) -> str:
    """`metadata.name`; empty where a document has none."""
    return str(getattr(getattr(document.value, "metadata", None), "name", ""))


def _key(document: Document) -> tuple[str, str]:
    return document.kind.name, name_of(document)


def _line(document: Document) -> str:
    """The document as JSON, which YAML reads as well."""
    value = document.value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    entry = {"kind": document.kind.name, "name": name_of(document), "text": text}
    return json.dumps(entry, ensure_ascii=False, sort_keys=True)
