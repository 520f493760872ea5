"""Prices of language models from the package genai-prices, as schedules by the labels' own values.

A model's name in the metric is looked up as the package does (aliases, dates, prefixes of providers). What the package
does not know stays without a price. Prices that depend on the length of a single request cannot be told from metrics:
the base price is taken; those that depend on the time of day: the standard one. `Catalogue.notes` say so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from finops.pricing.model import Catalogue, Item, Override, Price, PriceMap, Schedule, TokenPrice
from finops.pricing.schedule import changes, price_at

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

_KEYS: Final = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cachedInput": "cache_read_mtok",
    "cacheWrite": "cache_write_mtok",
}
_MILLION: Final = Decimal(1_000_000)
_INPUT, _CACHED = "input", "cachedInput"
_NOON: Final = 12
MOST_MODELS: Final = 200  # of one item: each has a rule for every kind of token


def with_models(price_maps: Sequence[PriceMap], seen: Mapping[str, Sequence[str]]) -> tuple[PriceMap, ...]:
    """The price maps with prices also for models that occur, by the names of items; at most `MOST_MODELS` each."""
    return tuple(
        replace(price_map, items=tuple(_with_models(item, seen.get(item.name, ())) for item in price_map.items))
        for price_map in price_maps
    )


def _with_models(item: Item, seen: Sequence[str]) -> Item:
    if item.catalogue is None or not seen:
        return item
    models = tuple(dict.fromkeys((*item.catalogue.models, *sorted(seen))))[:MOST_MODELS]
    return replace(item, catalogue=resolved(replace(item.catalogue, models=models))[0])


def resolved(catalogue: Catalogue) -> tuple[Catalogue, tuple[str, ...]]:
    """The catalogue with prices for its models, and those of them that have none at all."""
    prices: list[TokenPrice] = []
    notes: list[str] = []
    unknown: list[str] = []
    own = {override.model for override in catalogue.overrides}
    for model in dict.fromkeys((*catalogue.models, *sorted(own))):
        info = _looked_up(model, catalogue.provider)
        if info is None and model not in own:
            unknown.append(model)
            continue
        notes += _notes(model, info)
        prices += _prices(catalogue, model, info)
    return replace(catalogue, prices=tuple(prices), notes=tuple(notes)), tuple(unknown)


def _prices(catalogue: Catalogue, model: str, info: "ModelInfo | None") -> Iterator[TokenPrice]:
    overrides = sorted((each for each in catalogue.overrides if each.model == model), key=_begin)
    by_kind = {kind: _overridden(_of_catalogue(info, kind), kind, overrides) for kind in _KEYS}
    if catalogue.input_includes_cached:
        by_kind[_CACHED] = _less(by_kind[_CACHED], by_kind[_INPUT])
    for value, kind in catalogue.types:
        if by_kind[kind]:
            yield TokenPrice(model, value, by_kind[kind])


def _begin(override: Override) -> datetime:
    return override.start or datetime(1970, 1, 1, tzinfo=UTC)


def _looked_up(model: str, provider: str) -> "ModelInfo | None":
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider_model(model, None, provider or None, None)[1]
    except LookupError:
        return None


def _of_catalogue(info: "ModelInfo | None", kind: str) -> Schedule:
    """The catalogue's price of a kind of token, with the days on which it changes. A kind without one has none."""
    if info is None:
        return ()
    days = [None, *_days(info)]
    found: list[Price] = []
    for day in days:
        at = day or datetime(2000, 1, 1, _NOON, tzinfo=UTC)
        amount = _amount(info.get_prices(at.replace(hour=_NOON)), kind)
        if amount is None:
            found = [replace(price, end=price.end or day) for price in found]
        elif not found or found[-1].end is not None or found[-1].amount != amount:
            found.append(Price(amount, _MILLION, day))
    return tuple(found)


def _days(info: "ModelInfo") -> list[datetime]:
    from genai_prices.types import ModelPrice, StartDateConstraint

    if isinstance(info.prices, ModelPrice):
        return []
    constraints = [price.constraint for price in info.prices]
    days = {each.start_date for each in constraints if isinstance(each, StartDateConstraint)}
    return [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in sorted(days)]


def _amount(prices: "ModelPrice", kind: str) -> Decimal | None:
    from genai_prices.types import TieredPrices

    value = getattr(prices, _KEYS[kind])
    amount = value.base if isinstance(value, TieredPrices) else value
    return amount if isinstance(amount, Decimal) else None


def _notes(model: str, info: "ModelInfo | None") -> Iterator[str]:
    from genai_prices.types import ModelPrice, TieredPrices, TimeOfDateConstraint

    if info is None:
        return
    every = [info.prices] if isinstance(info.prices, ModelPrice) else [price.prices for price in info.prices]
    if any(isinstance(getattr(prices, key), TieredPrices) for prices in every for key in _KEYS.values()):
        yield f"{model}: long requests cost more; metrics do not tell them apart, the base price is taken"
    if not isinstance(info.prices, ModelPrice) and any(
        isinstance(price.constraint, TimeOfDateConstraint) for price in info.prices
    ):
        yield f"{model}: costs less at some hours of the day; the price at noon UTC is taken"


def _overridden(schedule: Schedule, kind: str, overrides: Sequence[Override]) -> Schedule:
    """The catalogue's prices up to the first override of this kind, and the overrides from there on."""
    for override in overrides:
        amount = dict(override.amounts).get(kind)
        if amount is not None:
            kept = () if override.start is None else tuple(p for p in schedule if _begins_before(p, override.start))
            schedule = (*kept, Price(amount, override.per, override.start))
    return schedule


def _begins_before(price: Price, moment: datetime) -> bool:
    return price.start is None or price.start < moment


def _less(schedule: Schedule, other: Schedule) -> Schedule:
    """What a token of the first costs beyond one of the other: for tokens that are counted among those already."""
    if not schedule:
        return ()
    moments = sorted({*changes(schedule), *changes(other)})
    found: list[Price] = []
    for moment in [None, *moments]:
        at = moment or datetime(1971, 1, 1, tzinfo=UTC)
        one, two = price_at(schedule, at), price_at(other, at)
        if one is None:
            found = [replace(price, end=price.end or moment) for price in found]
            continue
        base = two.amount * one.per / two.per if two else Decimal(0)
        found.append(Price(one.amount - base, one.per, moment))
    return tuple(found)
