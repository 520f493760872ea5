"""Prices of language models: what genai-prices says by itself, and how overrides and caches change it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider, StartDateConstraint

from finops.pricing.model import Catalogue, Override, Price
from finops.pricing.schedule import cost, price_at
from finops.pricing.token_catalogue import MOST_MODELS, resolved, with_models
from tests.finops.pricing.pricing import D, a_map, counted
from tests.slo.evaluating import utc

TYPES = (("input", "input"), ("output", "output"), ("cache_read", "cachedInput"))
NOW = utc(2026, 11, 20, 12)
MINUTE = timedelta(minutes=1)


def catalogue(*models: str, **fields: object) -> Catalogue:
    return Catalogue("model", "type", TYPES, models=models, **fields)  # type: ignore[arg-type]


def paid(found: Catalogue, model: str, at: datetime = NOW, **tokens: int) -> Decimal | None:
    total = D(0)
    for kind, count in tokens.items():
        schedule = next((p.schedule for p in found.prices if (p.model, p.token_type) == (model, kind)), ())
        part = cost(schedule, D(count), at, at + MINUTE)
        if part is None:
            return None
        total += part
    return total


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-4o-mini-2024-07-18", "claude-sonnet-4-5", "claude-3-5-haiku-latest", "gemini-2.5-flash"]
)
def test_tokens_cost_what_the_package_itself_computes(model: str) -> None:
    found, unknown = resolved(catalogue(model, input_includes_cached=True))
    assert unknown == ()
    usage = Usage(input_tokens=90_000, output_tokens=7_000, cache_read_tokens=20_000)
    truth = calc_price(usage, model, genai_request_timestamp=NOW).total_price
    assert paid(found, model, input=90_000, output=7_000, cache_read=20_000) == truth


def test_cached_tokens_that_are_no_part_of_the_input_cost_their_own_price() -> None:
    found, _ = resolved(catalogue("gpt-4o"))
    assert paid(found, "gpt-4o", cache_read=1_000_000) == D("1.25")


def dated_models() -> Iterator[tuple[Provider, ModelInfo, datetime]]:
    """Every model of three providers whose price changes, with each day on which it does."""
    for provider in get_snapshot().providers:
        if provider.id in ("openai", "anthropic", "google"):
            for model in provider.models:
                for price in model.prices if isinstance(model.prices, list) else ():
                    if isinstance(price.constraint, StartDateConstraint):
                        yield provider, model, datetime.combine(price.constraint.start_date, time.min, UTC)


def test_prices_change_on_the_days_that_the_package_knows() -> None:
    checked = 0
    for provider, model, day in dated_models():
        found, unknown = resolved(catalogue(model.id, provider=provider.id))
        for at in (day - MINUTE, day):
            if unknown or paid(found, model.id, at, input=1000) is None:
                continue
            truth = calc_price(Usage(input_tokens=1000), model.id, provider_id=provider.id, genai_request_timestamp=at)
            assert paid(found, model.id, at, input=1000) == truth.input_price
            checked += 1
    assert checked > 4


def test_an_override_wins_from_its_day_on_and_only_for_what_it_names() -> None:
    override = Override("gpt-4o", (("output", D("9.5")),), D(1_000_000), utc(2027, 1, 1))
    found, _ = resolved(catalogue("gpt-4o", overrides=(override,)))
    output = next(price.schedule for price in found.prices if price.token_type == "output")
    assert output == (Price(D(10), D(1_000_000)), Price(D("9.5"), D(1_000_000), utc(2027, 1, 1)))
    assert paid(found, "gpt-4o", utc(2027, 1, 1), input=1_000_000) == D("2.5")


def test_a_model_of_ones_own_needs_no_catalogue_and_overrides_without_a_day_replace_it() -> None:
    overrides = (
        Override("own", (("input", D(3)), ("output", D(4))), D(1000)),
        Override("own", (("input", D(2)),), D(1000), utc(2026, 6, 1)),
        Override("gpt-4o", (("input", D(1)),), D(1_000_000)),
    )
    found, unknown = resolved(catalogue("own", "gpt-4o", overrides=overrides))
    assert unknown == ()
    assert paid(found, "own", utc(2026, 5, 1), input=1000, output=1000) == D(7)
    assert paid(found, "own", input=1000) == D(2)
    assert paid(found, "own", cache_read=1) is None
    assert paid(found, "gpt-4o", utc(2020, 1, 1), input=1_000_000) == D(1)


def test_what_is_not_known_has_no_price_and_never_costs_nothing() -> None:
    found, unknown = resolved(catalogue("nobody-knows-this", "gpt-4o"))
    assert unknown == ("nobody-knows-this",)
    assert paid(found, "nobody-knows-this", input=1) is None
    found, unknown = resolved(catalogue("gpt-4o", provider="no-such-provider"))
    assert unknown == ("gpt-4o",)


def test_what_metrics_cannot_tell_is_noted() -> None:
    found, _ = resolved(catalogue("claude-sonnet-4-5"))
    assert found.notes == (
        "claude-sonnet-4-5: long requests cost more; metrics do not tell them apart, the base price is taken",
    )


def test_models_that_occur_are_priced_too_within_bounds() -> None:
    item = counted(name="llm", catalogue=resolved(catalogue("gpt-4o"))[0], schedule=())
    other = counted(name="other")
    (price_map,) = with_models([a_map(item, other)], {"llm": ("gpt-4o-mini", "gpt-4o", "odd"), "other": ("x",)})
    assert price_map.items[1] == other
    assert price_map.items[0].catalogue is not None
    assert {price.model for price in price_map.items[0].catalogue.prices} == {"gpt-4o", "gpt-4o-mini"}
    many = [f"model-{number}" for number in range(1000)]
    (price_map,) = with_models([a_map(item)], {"llm": many})
    assert price_map.items[0].catalogue is not None
    assert len(price_map.items[0].catalogue.models) == MOST_MODELS


def test_a_price_less_another_changes_whenever_one_of_them_does() -> None:
    overrides = (
        Override("own", (("input", D(4)), ("cachedInput", D(1))), D(1000)),
        Override("own", (("input", D(3)),), D(1000), utc(2026, 6, 1)),
        Override("own", (("cachedInput", D(2)),), D(1000), utc(2026, 7, 1)),
    )
    found, _ = resolved(replace(catalogue("own", overrides=overrides), input_includes_cached=True))
    cached = next(price.schedule for price in found.prices if price.token_type == "cache_read")

    def amounts() -> Iterator[Decimal | None]:
        for month in (5, 6, 7):
            price = price_at(cached, utc(2026, month, 2))
            yield price.amount if price else None

    assert list(amounts()) == [D(-3), D(-2), D(-1)]
