"""Allocation: who gets what, and that nothing is lost."""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.allocation.allocating import allocate
from finops.allocation.model import CostKey, CostKind, EvenKey, Key, SharesKey, UsageKey
from finops.allocation.tables import CostRow, CostTable, UsageWeight, Weights, together
from tests.finops.allocation.plans import DECEMBER, NOVEMBER, a_plan, a_step, a_table, costs

CALLS = {"calls": [UsageWeight("alpha", Decimal(3)), UsageWeight("beta", Decimal(1))]}


def test_shared_cost_goes_in_proportion_to_direct_cost() -> None:
    table = a_table("tenant service", ("alpha", "api", "30"), ("beta", "api", "10"), ("-", "kafka", "8"))
    done = allocate(table, a_plan(a_step("kafka", CostKey())), {})
    assert costs(done) == {"alpha": 36, "beta": 12}
    assert costs(done, "tenant", "service") == {"alpha api": 30, "alpha kafka": 6, "beta api": 10, "beta kafka": 2}
    assert [(o.step, o.taken, o.given, o.left, o.reason) for o in done.outcomes] == [("kafka", 8, 8, 0, "")]


def test_usage_weights_spread_cost_that_nobody_caused() -> None:
    done = allocate(a_table("tenant", ("-", "8")), a_plan(a_step("bus", UsageKey("calls"))), CALLS)
    assert costs(done) == {"alpha": 6, "beta": 2}


def test_even_shares_go_to_the_named_targets_or_to_all_with_a_cost() -> None:
    table = a_table("tenant", ("alpha", "1"), ("beta", "2"), ("-", "9"))
    everybody = allocate(table, a_plan(a_step("even", EvenKey())), {})
    assert costs(everybody) == {"alpha": Decimal("5.5"), "beta": Decimal("6.5")}
    named = allocate(table, a_plan(a_step("even", EvenKey(), targets=["gamma"])), {})
    assert costs(named) == {"alpha": 1, "beta": 2, "gamma": 9}


def test_fixed_shares() -> None:
    shares = SharesKey((("alpha", Decimal("0.7")), ("beta", Decimal("0.3"))))
    assert costs(allocate(a_table("tenant", ("-", "10")), a_plan(a_step("fixed", shares)), {})) == {
        "alpha": 7,
        "beta": 3,
    }


def test_a_credit_is_spread_like_a_cost() -> None:
    done = allocate(a_table("tenant", ("-", "-8")), a_plan(a_step("credit", UsageKey("calls"))), CALLS)
    assert costs(done) == {"alpha": -6, "beta": -2}


def test_a_target_with_negative_cost_has_no_weight() -> None:
    table = a_table("tenant", ("alpha", "10"), ("beta", "-5"), ("-", "4"))
    assert costs(allocate(table, a_plan(a_step("shared", CostKey())), {})) == {"alpha": 14, "beta": -5}


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({}, "there are no weights of calls"),
        ({"calls": [UsageWeight("alpha", Decimal(0))]}, "the weights of calls add up to zero"),
        ({"calls": [UsageWeight("alpha", Decimal(1), DECEMBER)]}, "there are no weights of calls"),
    ],
)
def test_what_no_key_covers_stays_unallocated_and_is_said(weights: Weights, reason: str) -> None:
    table = a_table("month tenant", (NOVEMBER, "alpha", "1"), (NOVEMBER, "-", "8"))
    done = allocate(table, a_plan(a_step("bus", UsageKey("calls"))), weights)
    assert costs(done) == {"alpha": 1, "-": 8}
    assert done.unallocated("USD") == 8
    assert [(o.left, o.reason) for o in done.outcomes] == [(8, reason)]


def test_a_later_step_takes_what_an_earlier_one_had_no_weights_for() -> None:
    steps = a_step("bus", UsageKey("calls")), a_step("rest", EvenKey(), targets=["alpha"])
    done = allocate(a_table("tenant", ("-", "8")), a_plan(*steps), {})
    assert [(row.key, row.step) for row in done.rows] == [(("alpha",), "rest")]


def test_a_step_that_selects_nothing_says_so() -> None:
    done = allocate(a_table("tenant service", ("a", "x", "1")), a_plan(a_step(select={"service": ["typo"]})), {})
    assert [o.reason for o in done.outcomes] == ["nothing fits its selection"]


def test_cost_of_idle_nodes_goes_to_services_and_theirs_to_tenants() -> None:
    table = a_table(
        "tenant service",
        ("-", "-", "12"), ("-", "kafka", "6"), ("alpha", "api", "12"), ("beta", "api", "6"),
    )  # fmt: skip
    steps = (
        a_step("idle", CostKey(), over="service", select={"service": [""]}, kind=CostKind.IDLE),
        a_step("kafka", UsageKey("calls"), select={"service": ["kafka"]}),
        a_step("api", CostKey(where=(("service", ("api",)),)), select={"service": ["api"]}),
    )
    done = allocate(table, a_plan(*steps), CALLS)
    # 12 idle: 3 to kafka and 9 to the api; kafka's 6 + 3 by calls 3:1; the api's 9 by direct cost 2:1.
    assert costs(done) == {"alpha": Decimal("24.75"), "beta": Decimal("11.25")}
    by_kind: dict[object, Decimal] = defaultdict(Decimal)
    for row in done.rows:
        by_kind[row.kind] += row.cost
    assert by_kind == {None: 18, CostKind.IDLE: 12, CostKind.SHARED: 6}


def test_loaded_cost_counts_what_earlier_steps_gave() -> None:
    table = a_table("tenant service", ("alpha", "a", "1"), ("beta", "a", "1"), ("-", "x", "2"), ("-", "y", "8"))
    first = a_step("x", SharesKey((("alpha", Decimal(1)),)), select={"service": ["x"]})
    direct = allocate(table, a_plan(first, a_step("y", CostKey(), select={"service": ["y"]})), {})
    loaded = allocate(table, a_plan(first, a_step("y", CostKey(loaded=True), select={"service": ["y"]})), {})
    assert costs(direct) == {"alpha": 7, "beta": 5}
    assert costs(loaded) == {"alpha": 9, "beta": 3}


def test_nobody_gives_to_what_was_emptied() -> None:
    table = a_table("service", ("kafka", "6"), ("api", "2"), ("web", "1"))
    step = a_step("kafka", UsageKey("use"), over="service", select={"service": ["kafka"]})
    weights = {"use": [UsageWeight("kafka", Decimal(100)), UsageWeight("api", Decimal(1))]}
    assert costs(allocate(table, a_plan(step, target="service"), weights)) == {"api": 8, "web": 1}
    only_itself = allocate(table, a_plan(step, target="service"), {"use": weights["use"][:1]})
    assert costs(only_itself) == {"kafka": 6, "api": 2, "web": 1}
    assert only_itself.outcomes[0].reason == "every target is itself among what the step takes"


def test_currencies_never_meet() -> None:
    dollars = a_table("tenant", ("alpha", "1"), ("-", "3"))
    euros = a_table("tenant", ("beta", "1"), ("-", "5"), currency="EUR")
    done = allocate(CostTable(("tenant",), (*dollars.rows, *euros.rows)), a_plan(a_step("shared", CostKey())), {})
    found = {(row.currency, done.target_of(row), row.step): row.cost for row in done.rows}
    assert found == {
        ("USD", "alpha", ""): 1, ("USD", "alpha", "shared"): 3, ("EUR", "beta", ""): 1, ("EUR", "beta", "shared"): 5,
    }  # fmt: skip


def test_rows_come_in_the_order_of_their_keys_wherever_the_period_stands() -> None:
    rows = (("beta", NOVEMBER, "1"), ("alpha", DECEMBER, "1"), ("-", DECEMBER, "1"))
    done = allocate(a_table("tenant month", *rows), a_plan(a_step("calls", UsageKey("calls"))), {})
    assert [row.key[0] for row in done.rows] == [None, "alpha", "beta"]


def test_a_table_without_a_column_of_the_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="no column service"):
        allocate(a_table("tenant", ("a", "1")), a_plan(a_step(select={"service": ["x"]})), {})


def test_records_go_in_and_out_as_plain_mappings() -> None:
    records = [{"tenant": "alpha", "currency": "USD", "cost": "1"}, {"tenant": None, "currency": "USD", "cost": "2.5"}]
    done = allocate(CostTable.from_records(records, ["tenant"]), a_plan(a_step("shared", CostKey())), {})
    assert done.records() == [
        {"tenant": "alpha", "currency": "USD", "cost": Decimal(1), "step": None, "kind": None},
        {"tenant": "alpha", "currency": "USD", "cost": Decimal("2.5"), "step": "shared", "kind": "shared"},
    ]


# --- generated tables -------------------------------------------------------------------------------------------------
NAMES = st.sampled_from([None, "alpha", "beta", "gamma"])
SERVICES = st.sampled_from([None, "api", "kafka", "support"])
MONTHS = st.sampled_from([NOVEMBER, DECEMBER])
ROWS = st.lists(
    st.builds(
        CostRow,
        st.tuples(MONTHS, NAMES, SERVICES),
        st.sampled_from(["USD", "EUR"]),
        st.decimals(min_value=-(10**9), max_value=10**12, places=12),
    ),
    max_size=25,
)
NUMBERS = st.decimals(min_value=0, max_value=10**9, places=6)
WEIGHTS = st.lists(
    st.builds(UsageWeight, st.sampled_from(["alpha", "beta", "gamma"]), NUMBERS, st.sampled_from([None, NOVEMBER])),
    max_size=6,
)
SHARES = SharesKey((("alpha", Decimal("0.123456789")), ("beta", Decimal("0.876543211"))))
KEYS: st.SearchStrategy[Key] = st.one_of(
    st.builds(CostKey, st.booleans(), st.sampled_from([(), (("service", ("api", "")),)])),
    st.just(UsageKey("calls")), st.just(UsageKey("nobody-knows")), st.just(EvenKey()), st.just(SHARES),
)  # fmt: skip
SELECTIONS = st.sampled_from(
    [{}, {"service": ["kafka"]}, {"service": ["support", ""]}, {"tenant": ["gamma"]}, {"tenant": [""]}]
)
STEPS = st.lists(
    st.builds(
        lambda key, select, over, targets: a_step("step", key, select=select, over=over, targets=targets),
        KEYS, SELECTIONS, st.sampled_from(["tenant", "service"]), st.sampled_from([(), ("alpha", "beta"), ("gamma",)]),
    ),
    min_size=1, max_size=4,
).map(lambda steps: a_plan(*(replace(step, name=f"step-{at}") for at, step in enumerate(steps))))  # fmt: skip
COLUMNS = ("month", "tenant", "service")


@given(ROWS, STEPS, WEIGHTS)
def test_allocated_and_unallocated_add_up_to_the_total(rows, plan, weights) -> None:  # type: ignore[no-untyped-def]
    done = allocate(CostTable(COLUMNS, tuple(rows)), plan, {"calls": weights})
    for currency in ("USD", "EUR"):
        for month in (NOVEMBER, DECEMBER):
            before = sum(Fraction(row.cost) for row in rows if (row.currency, row.key[0]) == (currency, month))
            after = sum(Fraction(row.cost) for row in done.rows if (row.currency, row.key[0]) == (currency, month))
            assert after == before
        borne = sum(Fraction(r.cost) for r in done.rows if r.currency == currency and done.target_of(r) is not None)
        assert borne + Fraction(done.unallocated(currency)) == Fraction(done.total(currency))


@given(ROWS, STEPS, WEIGHTS)
def test_partitions_put_together_equal_the_whole(rows, plan, weights) -> None:  # type: ignore[no-untyped-def]
    whole = allocate(CostTable(COLUMNS, tuple(rows)), plan, {"calls": weights})
    partitions = defaultdict(list)
    for row in rows:
        partitions[row.currency, row.key[0]].append(row)
    parts = [allocate(CostTable(COLUMNS, tuple(part)), plan, {"calls": weights}) for part in partitions.values()]
    if parts:
        assert together(parts) == whole
        assert together([parts[0], together(parts[1:])] if parts[1:] else parts) == whole
        assert together(parts[::-1]) == whole


@given(ROWS, STEPS, WEIGHTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_weights_changes_nothing(rows, plan, weights, random) -> None:  # type: ignore[no-untyped-def]
    expected = allocate(CostTable(COLUMNS, tuple(rows)), plan, {"calls": weights})
    random.shuffle(rows)
    random.shuffle(weights)
    assert allocate(CostTable(COLUMNS, tuple(rows)), plan, {"calls": weights}) == expected


@given(ROWS, WEIGHTS)
def test_one_step_equals_an_independent_computation_in_fractions(rows, weights) -> None:  # type: ignore[no-untyped-def]
    """Usage by calls, of everything without a tenant: recomputed by a few lines that share nothing with ours."""
    done = allocate(CostTable(COLUMNS, tuple(rows)), a_plan(a_step("calls", UsageKey("calls"))), {"calls": weights})
    for currency, month in {(row.currency, row.key[0]) for row in rows}:
        own = [row for row in rows if (row.currency, row.key[0]) == (currency, month)]
        uses = {
            name: sum(Fraction(w.weight) for w in weights if w.target == name and w.period in (None, month))
            for name in ("alpha", "beta", "gamma")
        }
        pool = sum(Fraction(row.cost) for row in own if row.key[1] is None)
        whole = sum(uses.values())
        for name, use in uses.items():
            direct = sum(Fraction(row.cost) for row in own if row.key[1] == name)
            expected = direct + (pool * use / whole if whole else 0)
            found = sum(
                Fraction(r.cost) for r in done.rows if (r.currency, r.key[0], r.key[1]) == (currency, month, name)
            )
            assert abs(found - expected) <= Fraction(4, 10**12)  # a unit of the last place for each service's row
