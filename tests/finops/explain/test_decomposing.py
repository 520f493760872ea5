"""Effects add up to the change, exactly, whatever the tables; and each cause shows in its own effect alone."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from finops.allocation.exact import total
from finops.explain.decomposing import explained, rounded, shapley
from finops.explain.model import Drivers, Effects, Line

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=12, allow_nan=False)
QUANTITIES = st.one_of(st.none(), st.decimals(min_value=-5, max_value=10**6, places=6))
LINES = st.lists(
    st.builds(
        Line,
        group=st.tuples(st.sampled_from(["api", "llm", None])),
        item=st.tuples(st.sampled_from(["large", "small", "tax", None])),
        cost=AMOUNTS,
        quantity=QUANTITIES,
        unit=st.sampled_from(["h", "GB", None]),
    ),
    max_size=12,
)
UNITS = st.decimals(min_value=0, max_value=10**9, places=3)
DRIVERS = st.builds(
    lambda units: Drivers("requests", (0,), units),
    st.dictionaries(st.tuples(st.sampled_from(["api", "llm", None])), st.tuples(UNITS, UNITS)),
)
POSITIVE = st.decimals(min_value="0.001", max_value=10**6, places=3)


def _line(item: str, cost: Decimal | str, quantity: Decimal | str | None, unit: str | None = "h") -> Line:
    return Line(("api",), (item,), Decimal(cost), None if quantity is None else Decimal(quantity), unit)


def _requests(before: Decimal | str, after: Decimal | str) -> Drivers:
    return Drivers("requests", (0,), {("api",): (Decimal(before), Decimal(after))})


def _only(effects: Effects) -> set[str]:
    return {name for name, value in effects.by_name().items() if value != 0}


@given(before=LINES, after=LINES, drivers=DRIVERS)
def test_effects_add_up_to_the_change_to_the_last_decimal(
    before: list[Line], after: list[Line], drivers: Drivers
) -> None:
    told = explained(before, after, drivers=drivers)
    change = total([*(line.cost for line in after), *(line.cost.copy_negate() for line in before)])
    assert told.change == change
    assert told.effects.total == change
    assert total(mover.effects.total for mover in told.items) == change
    assert total(mover.effects.total for mover in told.groups) == change
    assert all(mover.effects.total == mover.change for mover in (*told.items, *told.groups))


@given(before=LINES, after=LINES, drivers=DRIVERS)
def test_periods_that_change_places_turn_the_sign_of_every_effect(
    before: list[Line], after: list[Line], drivers: Drivers
) -> None:
    turned = Drivers(drivers.name, drivers.dimensions, {key: (b, a) for key, (a, b) in drivers.units.items()})
    there = explained(before, after, drivers=drivers).effects
    back = explained(after, before, drivers=turned).effects
    for name in ("volume", "efficiency", "usage", "mix", "price", "other"):
        assert getattr(there, name) == getattr(back, name).copy_negate()
    assert (there.new, there.gone) == (back.gone.copy_negate(), back.new.copy_negate())


@given(before=LINES, after=LINES, drivers=DRIVERS, order=st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(before: list[Line], after: list[Line], drivers: Drivers, order) -> None:  # type: ignore[no-untyped-def]
    there = explained(before, after, drivers=drivers)
    order.shuffle(before)
    order.shuffle(after)
    assert explained(before, after, drivers=drivers) == there


@given(quantities=st.lists(POSITIVE, min_size=1, max_size=4), prices=st.data(), requests=POSITIVE)
def test_when_only_prices_change_the_price_alone_explains_it(quantities, prices, requests) -> None:  # type: ignore[no-untyped-def]
    old = [prices.draw(POSITIVE) for _ in quantities]
    new = [prices.draw(POSITIVE) for _ in quantities]
    before = [_line(str(at), q * p, q) for at, (q, p) in enumerate(zip(quantities, old, strict=True))]
    after = [_line(str(at), q * p, q) for at, (q, p) in enumerate(zip(quantities, new, strict=True))]
    assert _only(explained(before, after, drivers=_requests(requests, requests)).effects) <= {"price"}


@given(quantities=st.lists(POSITIVE, min_size=1, max_size=4), factor=st.integers(2, 9), requests=POSITIVE)
def test_when_everything_grows_with_requests_the_volume_alone_explains_it(quantities, factor, requests) -> None:  # type: ignore[no-untyped-def]
    before = [_line(str(at), quantity * 3, quantity) for at, quantity in enumerate(quantities)]
    after = [_line(str(at), quantity * 3 * factor, quantity * factor) for at, quantity in enumerate(quantities)]
    assert _only(explained(before, after, drivers=_requests(requests, requests * factor)).effects) == {"volume"}


@given(quantities=st.lists(POSITIVE, min_size=1, max_size=4), factor=st.integers(2, 9), requests=POSITIVE)
def test_when_each_request_takes_more_the_efficiency_alone_explains_it(quantities, factor, requests) -> None:  # type: ignore[no-untyped-def]
    before = [_line(str(at), quantity * 3, quantity) for at, quantity in enumerate(quantities)]
    after = [_line(str(at), quantity * 3 * factor, quantity * factor) for at, quantity in enumerate(quantities)]
    assert _only(explained(before, after, drivers=_requests(requests, requests)).effects) == {"efficiency"}
    assert _only(explained(before, after).effects) == {"usage"}


@given(first=POSITIVE, second=POSITIVE, requests=POSITIVE)
def test_when_dearer_items_do_the_same_work_the_mix_alone_explains_it(
    first: Decimal, second: Decimal, requests: Decimal
) -> None:
    before = [_line("small", first * 2, first), _line("large", second * 7, second)]
    after = [_line("small", second * 2, second), _line("large", first * 7, first)]
    assert _only(explained(before, after, drivers=_requests(requests, requests)).effects) <= {"mix"}


@given(before=LINES, after=LINES, drivers=DRIVERS)
def test_a_driver_divides_usage_and_touches_nothing_else(
    before: list[Line], after: list[Line], drivers: Drivers
) -> None:
    """Up to what rounding leaves over, a unit of the twelfth decimal place for each item and effect."""
    told, plain = explained(before, after, drivers=drivers).effects, explained(before, after).effects
    near = Decimal("1e-9")
    assert abs(told.volume + told.efficiency + told.usage - plain.usage) <= near
    for name in ("mix", "price", "new", "gone", "other"):
        assert abs(getattr(told, name) - getattr(plain, name)) <= near


def test_an_item_that_is_new_among_others_is_a_change_of_mix() -> None:
    before = [_line("small", "20", "10")]
    after = [_line("small", "10", "5"), _line("large", "35", "5")]
    told = explained(before, after, drivers=_requests("100", "100"))
    assert _only(told.effects) == {"mix"}
    assert told.effects.mix == 25


def test_what_a_group_never_consumed_before_is_new_and_what_it_no_longer_does_is_gone() -> None:
    told = explained([_line("disk", "7", "70", "GB")], [_line("small", "20", "10")])
    assert told.effects == Effects(new=Decimal(20), gone=Decimal(-7))


def test_amounts_with_more_digits_than_decimals_keep_by_default_are_told_exactly() -> None:
    long = Decimal("1234567890123456789012345678.901234567890")
    told = explained([_line("small", long, "10"), _line("tax", "1", None)], [_line("small", "3", "30")])
    assert told.change == total((Decimal(2), long.copy_negate()))
    assert told.effects.total == told.change
    assert all(mover.effects.total == mover.change for mover in told.items)


def test_taxes_and_credits_are_told_apart_from_what_is_consumed() -> None:
    before = [_line("small", "20", "10"), _line("tax", "3", None, None)]
    after = [_line("small", "20", "10"), _line("tax", "3.8", None, None), _line("credit", "-5", None, None)]
    assert explained(before, after).effects == Effects(other=Decimal("-4.2"))


def test_a_quantity_that_is_known_in_one_period_only_explains_nothing() -> None:
    told = explained([_line("small", "20", "10")], [_line("small", "30", None)])
    assert told.effects == Effects(other=Decimal(10))


def test_a_worked_example_comes_out_as_by_hand() -> None:
    """100 → 120 requests, 0.1 → 0.2 hours each, 2 → 3 USD an hour: 20 → 72 USD; by pencil."""
    told = explained([_line("vm", "20", "10")], [_line("vm", "72", "24")], drivers=_requests("100", "120"))
    assert told.effects == Effects(volume=Decimal("7.5"), efficiency=Decimal("27.5"), price=Decimal(17))


def test_what_rounding_leaves_over_goes_to_the_largest_effect() -> None:
    assert rounded([Fraction(1, 3), Fraction(1, 3), Fraction(-2, 3)], Decimal(0), 2) == [
        Decimal("0.33"),
        Decimal("0.33"),
        Decimal("-0.66"),
    ]
    assert rounded([Fraction(2, 3), Fraction(1, 3)], Decimal(1), 1) == [Decimal("0.7"), Decimal("0.3")]


@given(st.lists(st.tuples(st.fractions(-9, 9), st.fractions(-9, 9)), min_size=1, max_size=5))
def test_the_shapley_value_leaves_nothing_over(pairs: list[tuple[Fraction, Fraction]]) -> None:
    before, after = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    product = [Fraction(1), Fraction(1)]
    for first, second in pairs:
        product = [product[0] * first, product[1] * second]
    assert sum(shapley(before, after)) == product[1] - product[0]
