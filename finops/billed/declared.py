"""CostSource and ExchangeRates documents as values, and everything that is wrong with them."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from controlplane.model.spend import TIME_DIMENSIONS
from controlplane.problems import Problem, has_errors
from controlplane.specfile import Declared, Document, declared_by_name, did_you_mean
from finops.billed.model import Bounds, CostSource, ExchangeRates, Format, Rate, Term
from finops.billed.query.dimensions import COLUMNS, TAG_PREFIX
from finops.billed.reading.protocols import PROTOCOLS
from finops.billed.spec import CostSourceDocument, ExchangeRatesDocument, RatePart
from finops.naming import name_problems

_RULE: Final = "cost-source"
_RATES: Final = "exchange-rates"
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")
_OPTION: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DIMENSION: Final = re.compile(r"[a-z][a-z0-9_.-]{0,62}")


def declared(documents: Sequence[Document]) -> Declared[CostSource]:
    """The cost sources among documents, by name."""
    return declared_by_name(documents, CostSourceDocument, _read_source)


def _read_source(document: Document, value: CostSourceDocument) -> tuple[CostSource | None, Sequence[Problem]]:
    wrong = [*name_problems(document, value.metadata.name), *_source_problems(document, value)]
    return None if has_errors(wrong) else _source(document, value), wrong


def declared_rates(documents: Sequence[Document]) -> Declared[ExchangeRates]:
    """The tables of exchange rates among documents, by name."""
    return declared_by_name(documents, ExchangeRatesDocument, _read_rates)


def _read_rates(document: Document, value: ExchangeRatesDocument) -> tuple[ExchangeRates | None, Sequence[Problem]]:
    wrong = [*name_problems(document, value.metadata.name), *_rate_problems(document, value)]
    return None if has_errors(wrong) else _rates(value), wrong


def _source(document: Document, value: CostSourceDocument) -> CostSource:
    spec = value.spec
    path = spec.path
    if "://" not in path and not path.startswith("/"):
        path = str(Path(document.source.path).parent / path)
    written = {name: bound for name, bound in spec.bounds.model_dump().items() if bound is not None}
    return CostSource(
        name=value.metadata.name,
        path=path,
        format=Format(spec.format),
        currencies=tuple(sorted(set(spec.currencies))),
        dimensions={name: tuple(_term(each) for each in terms) for name, terms in spec.dimensions.items()},
        tag_aliases={_folded(other): _folded(key) for key, others in spec.tag_keys.items() for other in others},
        credentials=tuple(sorted(spec.credentials.items())),
        endpoint=spec.endpoint,
        bounds=Bounds(**written),
    )


def _term(written: str) -> Term:
    if written.startswith(TAG_PREFIX):
        return Term(tag=_folded(written.removeprefix(TAG_PREFIX)))
    return Term(column=written)


def _folded(key: str) -> str:
    return key.strip().lower()


def _source_problems(document: Document, value: CostSourceDocument) -> Iterator[Problem]:
    yield from _path_problems(document, value)
    yield from _dimension_problems(document, value)
    yield from _tag_problems(document, value)
    for option, variable in value.spec.credentials.items():
        at = ("spec", "credentials", option)
        if not _OPTION.fullmatch(option):
            message = "not an option of a file system: lower-case letters, digits and `_`"
            yield document.problem(*at, message=message, on_key=True, rule=_RULE)
        if not _VARIABLE.fullmatch(variable):
            message = "not the name of an environment variable; secrets themselves never stand in files"
            yield document.problem(*at, message=message, hint="such as BILLS_SECRET_KEY", rule=_RULE)


def _path_problems(document: Document, value: CostSourceDocument) -> Iterator[Problem]:
    spec = value.spec
    protocol, separator, _ = spec.path.partition("://")
    if separator and protocol.lower() not in PROTOCOLS:
        known = ", ".join(f"{each}://" for each in PROTOCOLS)
        yield document.problem("spec", "path", message=f"`{protocol}://` is not read", hint=f"{known} are", rule=_RULE)
    if separator and urlsplit(spec.path).password:
        message = "a password in a URL; secrets never stand in files"
        yield document.problem("spec", "path", message=message, hint="use spec.credentials", rule=_RULE)
    if not separator and (spec.credentials or spec.endpoint):
        key = "credentials" if spec.credentials else "endpoint"
        message = "changes nothing: the path is on this machine"
        yield document.problem("spec", key, message=message, on_key=True, rule=_RULE)
    if spec.endpoint and urlsplit(spec.endpoint).scheme not in ("http", "https"):
        yield document.problem(
            "spec", "endpoint", message="not a web address", hint="begin it with https://", rule=_RULE
        )


def _dimension_problems(document: Document, value: CostSourceDocument) -> Iterator[Problem]:
    for name, terms in value.spec.dimensions.items():
        at = ("spec", "dimensions", name)
        if name in TIME_DIMENSIONS or name == "currency":
            yield document.problem(*at, message=f"`{name}` always means the same", on_key=True, rule=_RULE)
        elif not _DIMENSION.fullmatch(name):
            message = "not a dimension's name: lower-case letters, digits, `_`, `-` and `.`"
            yield document.problem(*at, message=message, on_key=True, rule=_RULE)
        if not terms:
            yield document.problem(*at, message="names no place", hint="such as [tag:app, ServiceName]", rule=_RULE)
        for place, term in enumerate(terms):
            yield from _term_problems(document, (*at, place), term)


def _term_problems(document: Document, at: tuple[str | int, ...], term: str) -> Iterator[Problem]:
    if term.startswith(TAG_PREFIX):
        if not _folded(term.removeprefix(TAG_PREFIX)):
            yield document.problem(*at, message="names no tag", hint="such as tag:app", rule=_RULE)
    elif term not in COLUMNS:
        meant = did_you_mean(term, COLUMNS)
        message = f"`{term}` is no column that the ledger keeps" + (f", did you mean `{meant}`?" if meant else "")
        hint = "" if meant else f"tag:KEY, or one of {', '.join(COLUMNS)}"
        yield document.problem(*at, message=message, hint=hint, rule=_RULE)


def _tag_problems(document: Document, value: CostSourceDocument) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for key, others in value.spec.tag_keys.items():
        for place, other in enumerate(others):
            before = taken.setdefault(_folded(other), key)
            if before != key:
                message = f"`{other}` stands for `{before}` already"
                yield document.problem("spec", "tagKeys", key, place, message=message, rule=_RULE)


def _rates(value: ExchangeRatesDocument) -> ExchangeRates:
    rates = (Rate(each.source, each.target, date.fromisoformat(each.since), each.rate) for each in value.spec.rates)
    ordered = sorted(rates, key=lambda each: (each.source, each.target, each.since))
    return ExchangeRates(value.metadata.name, value.spec.source, tuple(ordered))


def _rate_problems(document: Document, value: ExchangeRatesDocument) -> Iterator[Problem]:
    seen: set[tuple[str, str, str]] = set()
    for place, each in enumerate(value.spec.rates):
        at = ("spec", "rates", place)
        if each.source == each.target:
            yield document.problem(*at, message=f"from {each.source} to itself", rule=_RATES)
        if not _is_day(each):
            yield document.problem(*at, "since", message=f"`{each.since}` is no day", rule=_RATES)
        key = (each.source, each.target, each.since)
        if key in seen:
            message = f"a second rate from {each.source} to {each.target} since {each.since}"
            yield document.problem(*at, message=message, rule=_RATES)
        seen.add(key)


def _is_day(part: RatePart) -> bool:
    try:
        date.fromisoformat(part.since)
    except ValueError:
        return False
    return True
