"""The catalogue as JSON: decimals as text, times in ISO 8601, keys in a fixed order."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from finops.billed.faults import Action, Example, Found
from finops.billed.ledger.partition import (
    Catalogue,
    Input,
    Money,
    Partition,
    PartitionKey,
    Restatement,
    ServiceChange,
    ServiceMoney,
)
from finops.billed.model import Term

FORMAT: Final = 1  # of the folder; a ledger of another number is not touched


class NotACatalogue(ValueError):
    """The text is no catalogue, or one of another version."""


def plain(value: Decimal) -> str:
    """A decimal without exponent and without zeros at its end: `0.5`, `1200`, `0`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def encoded(catalogue: Catalogue) -> bytes:
    """UTF-8 JSON with a line break at its end."""
    document = {
        "format": FORMAT,
        "generation": catalogue.generation,
        "partitions": [_partition(catalogue.partitions[key]) for key in sorted(catalogue.partitions)],
        "history": [_restatement(each) for each in catalogue.history],
        "dimensions": {
            source: {name: [[term.tag, term.column] for term in terms] for name, terms in sorted(declared.items())}
            for source, declared in sorted(catalogue.dimensions.items())
        },
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def decoded(content: bytes) -> Catalogue:
    """The reverse of `encoded`. Raises `NotACatalogue`."""
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise NotACatalogue(f"it has format {document['format']}, this version of Flyball reads {FORMAT}")
        partitions = [_read_partition(each) for each in document["partitions"]]
        history = tuple(_read_restatement(each) for each in document["history"])
        dimensions = {
            source: {name: tuple(Term(*term) for term in terms) for name, terms in declared.items()}
            for source, declared in document["dimensions"].items()
        }
        return Catalogue(document["generation"], {each.key: each for each in partitions}, history, dimensions)
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        if isinstance(error, NotACatalogue):
            raise
        raise NotACatalogue("it is not what Flyball wrote") from error


def _partition(it: Partition) -> dict[str, Any]:
    return {
        "source": it.key.source,
        "period": it.key.period.isoformat(),
        "folder": it.folder,
        "fingerprint": it.fingerprint,
        "importedAt": it.imported_at.isoformat(),
        "rows": it.rows,
        "quarantined": it.quarantined,
        "until": it.until.isoformat() if it.until else None,
        "money": [_money(each) for each in it.money],
        "quarantinedMoney": [_money(each) for each in it.quarantined_money],
        "services": [[each.service, each.currency, plain(each.billed), plain(each.effective)] for each in it.services],
        "inputs": [[each.name, each.size, each.sha256, each.rows, each.version] for each in it.inputs],
        "faults": [found_as_json(each) for each in it.faults],
        "payers": list(it.payers),
        "currencies": list(it.currencies),
        "seen": it.seen,
    }


def _money(it: Money) -> list[str | int]:
    return [it.currency, plain(it.billed), plain(it.effective), it.rows, it.effective_missing]


def found_as_json(it: Found) -> dict[str, Any]:
    """A fault's places, as catalogue and reports write them."""
    return {
        "fault": it.fault,
        "column": it.column,
        "ordinal": it.ordinal,
        "done": it.action.value,
        "rows": it.rows,
        "examples": [
            {"file": each.file, "row": each.row, "line": each.line, "value": each.value} for each in it.examples
        ],
    }


def _restatement(it: Restatement) -> dict[str, Any]:
    return {
        "source": it.key.source,
        "period": it.key.period.isoformat(),
        "at": it.at.isoformat(),
        "before": it.before,
        "after": it.after,
        "changes": [
            [each.service, each.currency, plain(each.billed_before), plain(each.billed_after),
             plain(each.effective_before), plain(each.effective_after)]
            for each in it.changes
        ],
    }  # fmt: skip


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _key(it: Mapping[str, Any]) -> PartitionKey:
    return PartitionKey(it["source"], date.fromisoformat(it["period"]))


def _read_money(it: list[Any]) -> Money:
    return Money(it[0], Decimal(it[1]), Decimal(it[2]), it[3], it[4])


def _read_partition(it: Mapping[str, Any]) -> Partition:
    return Partition(
        key=_key(it),
        folder=it["folder"],
        fingerprint=it["fingerprint"],
        imported_at=_time(it["importedAt"]),
        rows=it["rows"],
        quarantined=it["quarantined"],
        until=_time(it["until"]) if it["until"] else None,
        money=tuple(_read_money(each) for each in it["money"]),
        quarantined_money=tuple(_read_money(each) for each in it["quarantinedMoney"]),
        services=tuple(ServiceMoney(each[0], each[1], Decimal(each[2]), Decimal(each[3])) for each in it["services"]),
        inputs=tuple(Input(*each) for each in it["inputs"]),
        faults=tuple(_read_found(each) for each in it["faults"]),
        payers=tuple(it["payers"]),
        currencies=tuple(it["currencies"]),
        seen=it["seen"],
    )


def _read_found(it: Mapping[str, Any]) -> Found:
    examples = tuple(Example(each["file"], each["row"], each["line"], each["value"]) for each in it["examples"])
    return Found(it["fault"], it["column"], it["ordinal"], Action(it["done"]), it["rows"], examples)


def _read_restatement(it: Mapping[str, Any]) -> Restatement:
    changes = tuple(ServiceChange(each[0], each[1], *(Decimal(text) for text in each[2:])) for each in it["changes"])
    return Restatement(_key(it), _time(it["at"]), it["before"], it["after"], changes)
