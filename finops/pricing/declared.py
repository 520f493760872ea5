"""PriceMap documents as price maps, and everything that is wrong with them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Declared, Document
from finops.pricing.item_problems import item_problems
from finops.pricing.model import (
    BilledNames,
    Catalogue,
    Correction,
    Item,
    Machine,
    Measure,
    OpenCost,
    Override,
    PriceMap,
    Replicas,
    Staleness,
    Usage,
)
from finops.pricing.reading_prices import RULE, digit_problems, moment_of, schedule_of, span_of
from finops.pricing.reading_prices import written as as_written
from finops.pricing.spec import ItemPart, MeasurePart, PriceMapDocument, ReplicasPart, StalePart, TokensPart
from finops.pricing.token_catalogue import resolved

_ITEMS: Final = ("spec", "items")
_USUAL_TYPES: Final = (
    ("input", "input"),
    ("output", "output"),
    ("cached_input", "cachedInput"),
    ("cache_read", "cachedInput"),
    ("cache_write", "cacheWrite"),
)


def declared(documents: Sequence[Document]) -> Declared[PriceMap]:
    """The price maps among documents, by name. Names of items are unique in all of them: budgets tell them by these."""
    problems: list[Problem] = []
    found: dict[str, PriceMap] = {}
    items: dict[str, Document] = {}
    for document in documents:
        value = document.value
        if not isinstance(value, PriceMapDocument):
            continue
        price_map, wrong = price_map_of(document, value)
        problems += wrong
        problems += _taken_names(document, value, items)
        if price_map is not None:
            found.setdefault(price_map.name, price_map)
    return Declared(tuple(found[name] for name in sorted(found)), tuple(problems))


def price_map_of(document: Document, value: PriceMapDocument) -> tuple[PriceMap | None, list[Problem]]:
    """One document; None when it has errors."""
    reading = _Reading(document, value)
    price_map = reading.price_map()
    return (None if has_errors(reading.problems) else price_map), reading.problems


def _taken_names(document: Document, value: PriceMapDocument, seen: dict[str, Document]) -> Iterator[Problem]:
    for index, item in enumerate(value.spec.items):
        if item.name in seen:
            where = seen[item.name].position
            message = f"there is an item `{item.name}` already, in the PriceMap at {where.path}:{where.line}"
            hint = "names of items are unique: choose another"
            yield document.problem(*_ITEMS, index, "name", message=message, hint=hint, rule=RULE)
        seen.setdefault(item.name, document)


class _Reading:
    def __init__(self, document: Document, value: PriceMapDocument) -> None:
        self.problems: list[Problem] = list(item_problems(document, value))
        self._document = document
        self._value = value

    def price_map(self) -> PriceMap:
        spec, metadata = self._value.spec, self._value.metadata
        return PriceMap(
            name=metadata.name,
            currency=spec.currency,
            items=tuple(self._item(index, part) for index, part in enumerate(spec.items)),
            correction=self._correction(),
            billed=self._billed(),
            owner=metadata.annotations.get(names.ANNOTATION_OWNER, ""),
            runbook_url=metadata.annotations.get(names.ANNOTATION_RUNBOOK, ""),
            source=self._document.position_of("metadata", "name"),
        )

    def _item(self, index: int, part: ItemPart) -> Item:
        place = (*_ITEMS, index)
        schedule, wrong = schedule_of(self._document, (*place, "prices"), part.prices)
        self.problems += wrong
        by = tuple(dict.fromkeys(part.by))
        return Item(
            name=part.name,
            resource=part.resource,
            usage=_usage(part.usage or part.spend),
            by=by,
            renamed=_renamed(part, by),
            labels=tuple(sorted(part.labels.items())),
            schedule=schedule,
            is_money=part.spend is not None,
            catalogue=self._catalogue(place, part) if part.catalogue else None,
            opencost=self._opencost(place, part) if part.open_cost else None,
            is_billed=part.billed,
            replicas=_replicas(part.replicas or self._value.spec.replicas) if not part.open_cost else None,
            staleness=self._staleness(place, part),
            source=self._document.position_of(*place, "name"),
        )

    def _catalogue(self, place: tuple[str | int, ...], part: ItemPart) -> Catalogue:
        tokens = part.tokens or TokensPart()
        written = Catalogue(
            model_label=tokens.model_label,
            type_label=tokens.type_label,
            types=tuple(tokens.types.items()) or _USUAL_TYPES,
            provider=part.provider or "",
            models=tuple(dict.fromkeys(part.models)),
            overrides=tuple(self._overrides(place, part)),
            input_includes_cached=tokens.input_includes_cached,
        )
        catalogue, unknown = resolved(written)
        for model in unknown:
            index = part.models.index(model)
            self.problems.append(_unknown_model(self._document, (*place, "models", index), model, written.provider))
        return catalogue

    def _overrides(self, place: tuple[str | int, ...], part: ItemPart) -> Iterator[Override]:
        seen: set[tuple[str, datetime | None, str]] = set()
        for index, each in enumerate(part.overrides):
            where = (*place, "overrides", index)
            start, wrong = moment_of(self._document, (*where, "from"), each.from_)
            self.problems += wrong
            written = (
                ("input", each.input),
                ("output", each.output),
                ("cachedInput", each.cached_input),
                ("cacheWrite", each.cache_write),
            )
            amounts = tuple((kind, amount) for kind, amount in written if amount is not None)
            if not amounts:
                message = "an override without a price"
                hint = "write input, output, cachedInput or cacheWrite"
                self.problems.append(self._document.problem(*where, message=message, hint=hint, rule=RULE))
            for kind, amount in (*amounts, ("per", each.per)):
                self.problems += digit_problems(self._document, (*where, kind), amount)
            self._report_twice(where, each.model, start, amounts, seen)
            yield Override(each.model, amounts, each.per, start)

    def _report_twice(
        self,
        where: tuple[str | int, ...],
        model: str,
        start: datetime | None,
        amounts: tuple[tuple[str, Decimal], ...],
        seen: set[tuple[str, datetime | None, str]],
    ) -> None:
        """Two overrides of the same kind of token from the same moment."""
        for kind, _ in amounts:
            if (model, start, kind) in seen:
                message = f"`{model[:80]}` has two prices from {as_written(start) if start else 'the beginning'}"
                hint = "leave one of them out, or say from when on it holds"
                self.problems.append(self._document.problem(*where, kind, message=message, hint=hint, rule=RULE))
            seen.add((model, start, kind))

    def _opencost(self, place: tuple[str | int, ...], part: ItemPart) -> OpenCost:
        options = part.open_cost_options
        if options is None:
            return OpenCost()
        for index, machine in enumerate(options.machines):
            where = (*place, "openCostOptions", "machines", index)
            for key, size in (("cores", machine.cores), ("gib", machine.gib)):
                self.problems += digit_problems(self._document, (*where, key), size)
        machines = tuple(Machine(each.instance_type, each.cores, each.gib) for each in options.machines)
        return OpenCost(tuple(dict.fromkeys(options.node_labels)), options.cpu_share, machines)

    def _staleness(self, place: tuple[str | int, ...], part: ItemPart) -> Staleness:
        own = part.stale
        written = own or self._value.spec.stale or StalePart()
        path = (*place, "stale", "after") if own else ("spec", "stale", "after")
        after, wrong = span_of(self._document, path, written.after)
        self.problems += [problem for problem in wrong if problem not in self.problems]
        by = tuple(dict.fromkeys(written.by)) if own else tuple(label for label in written.by if label in part.by)
        return Staleness(after, by, written.optional or part.open_cost is not None)

    def _correction(self) -> Correction:
        written = self._value.spec.correction
        if written is None:
            return Correction()
        age, wrong = span_of(self._document, ("spec", "correction", "maxAge"), written.max_age)
        self.problems += wrong
        for key, bound in (("lowest", written.lowest), ("highest", written.highest)):
            self.problems += digit_problems(self._document, ("spec", "correction", key), bound)
        if written.lowest > 1 or written.highest < 1:
            message = "the bounds must leave room for 1: the estimate as it is"
            self.problems.append(self._document.problem("spec", "correction", message=message, rule=RULE))
        return Correction(written.lowest, written.highest, age)

    def _billed(self) -> BilledNames:
        written = self._value.spec.billed
        if written is None:
            return BilledNames()
        services = tuple((service, tuple(billed)) for service, billed in sorted(written.services.items()))
        return BilledNames(written.dimension, services)


def _usage(part: MeasurePart | None) -> Usage | None:
    if part is None:
        return None
    if part.counter is not None:
        return Usage(Measure.COUNTER, part.counter)
    return Usage(Measure.GAUGE, part.gauge or "")


def _replicas(part: ReplicasPart | None) -> Replicas | None:
    return None if part is None else Replicas(part.label, part.timestamp or "")


def _renamed(part: ItemPart, by: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    own = dict(part.from_)
    if part.catalogue and names.MODEL in by:
        own.setdefault(names.MODEL, (part.tokens or TokensPart()).model_label)
    return tuple(sorted(own.items()))


def _unknown_model(document: Document, path: tuple[str | int, ...], model: str, provider: str) -> Problem:
    where = f" of {provider}" if provider else ""
    return document.problem(
        *path,
        message=f"genai-prices knows no model `{model[:80]}`{where}: its tokens are shown as unpriced",
        hint="write its price under `overrides`, or name its provider",
        severity=Severity.WARNING,
        rule="unpriced-model",
    )
