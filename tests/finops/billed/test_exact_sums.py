"""Sums are exact to the last digit, against Python's Decimal over the same generated rows, whatever the file's form."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.model.spend import SpendRow
from tests.finops.billed.focus import COLUMNS, Ledger, row, write_csv

EXACT = Context(prec=100)
Row = Mapping[str, str]

amounts = st.integers(-(10**32), 10**32).map(lambda each: f"{Decimal(each).scaleb(-18, EXACT):f}")
scientific = st.builds(lambda digits, power: f"{digits}E{power:+d}", st.integers(-(10**9), 10**9), st.integers(-18, 3))
costs = st.one_of(amounts, scientific, st.sampled_from(["0", "-0", "1", "0.000000000000000001", "999999999999.9"]))
teams = st.sampled_from(["core", "edge", "Ünïcødé 😀", "o'brien; DROP TABLE", ""])
rows = st.builds(
    lambda cost, effective, currency, service, team, day, category: row(
        BilledCost=cost, EffectiveCost=effective, BillingCurrency=currency, ServiceName=service,
        Tags=f'{{"team": "{team}"}}', ChargeCategory=category,
        ChargePeriodStart=f"2026-10-{day:02d}T23:00:00Z", ChargePeriodEnd=f"2026-10-{day + 1:02d}T00:00:00Z",
    ),
    costs, costs, st.sampled_from(["USD", "EUR", "JPY"]), st.sampled_from(["Compute", "Storage", 'a "quoted", one']),
    teams, st.integers(1, 30), st.sampled_from(["Usage", "Purchase", "Tax", "Credit", "Adjustment"]),
)  # fmt: skip


def expected(generated: list[Row]) -> dict[tuple[str, ...], tuple[Decimal, Decimal, int]]:
    """Sums by service, day, team and currency, computed independently."""
    sums: dict[tuple[str, ...], tuple[Decimal, Decimal, int]] = defaultdict(lambda: (Decimal(0), Decimal(0), 0))
    for each in generated:
        team = each["Tags"].removeprefix('{"team": "').removesuffix('"}')
        day = each["ChargePeriodStart"][:10] + "T00:00:00Z"
        key = (each["ServiceName"], day, team, each["BillingCurrency"])
        billed, effective, count = sums[key]
        sums[key] = (
            EXACT.add(billed, Decimal(each["BilledCost"])),
            EXACT.add(effective, Decimal(each["EffectiveCost"])),
            count + 1,
        )
    return dict(sums)


def found(answer: tuple[SpendRow, ...]) -> dict[tuple[str, ...], tuple[Decimal, Decimal, int]]:
    return {
        (*(part or "" for part in each.key), each.currency): (each.billed, each.effective, each.rows) for each in answer
    }


def as_csv(folder: Path, generated: list[Row]) -> Path:
    return write_csv(folder / "costs.csv", *generated)


def as_gzip(folder: Path, generated: list[Row]) -> Path:
    return write_csv(folder / "costs.csv.gz", *generated)


def parquet(kind: str, tags: str) -> Callable[[Path, list[Row]], Path]:
    """A parquet file whose costs are of a type."""

    def write(folder: Path, generated: list[Row]) -> Path:
        source = as_csv(folder / "beside", generated)
        cost = {"VARCHAR": "{0}", "DECIMAL": "CAST({0} AS DECIMAL(38,18))"}[kind]
        time = "CAST({0} AS TIMESTAMPTZ)" if kind == "DECIMAL" else "{0}"
        columns = []
        for name in COLUMNS:
            form = cost if name.endswith("Cost") else time if name.endswith(("Start", "End")) else "{0}"
            form = tags if name == "Tags" else form
            columns.append(f"{form.format(name)} AS {name}")
        path = folder / "costs.parquet"
        duckdb.sql(
            f"COPY (SELECT {', '.join(columns)} FROM read_csv('{source}', all_varchar = true, header = true, "
            f"delim = ',', quote = '\"', escape = '\"')) TO '{path}' (FORMAT parquet)"
        )
        return path

    return write


MAP = "CAST({0} AS JSON)::MAP(VARCHAR, VARCHAR)"
PAIRS = "[{{'key': 'team', 'value': json_extract_string({0}, '$.team')}}]"
FORMS: dict[str, Callable[[Path, list[Row]], Path]] = {
    "csv": as_csv,
    "gzip": as_gzip,
    "parquet of text, tags as JSON": parquet("VARCHAR", "{0}"),
    "parquet of decimals, tags as MAP (AWS)": parquet("DECIMAL", MAP),
    "parquet of decimals, tags as pairs (BigQuery)": parquet("DECIMAL", PAIRS),
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(generated=st.lists(rows, min_size=1, max_size=40))
def test_sums_equal_an_independent_computation_to_the_last_digit(form: str, generated: list[Row]) -> None:
    with TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger")
        outcome = ledger.take(FORMS[form](Path(folder), generated))
        assert not outcome.refused
        assert sum(each.partition.quarantined for each in outcome.imported) == 0
        assert found(ledger.spend("service", "day", "team")) == expected(generated)
        hourly = found(ledger.spend("service", "hour", "team"))  # from single rows instead of daily sums
        assert {(a, b[:10] + "T00:00:00Z", c, d): sums for (a, b, c, d), sums in hourly.items()} == expected(generated)


@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(values=st.lists(st.floats(-1e14, 1e14, allow_nan=False), min_size=1, max_size=60))
def test_a_double_is_the_shortest_decimal_that_reads_back_as_the_same(values: list[float]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = write_csv(folder / "beside" / "costs.csv", *(row(BilledCost=repr(value)) for value in values))
        duckdb.sql(
            f"COPY (SELECT * REPLACE (CAST(BilledCost AS DOUBLE) AS BilledCost) FROM read_csv('{source}', "
            f"all_varchar = true)) TO '{folder}/costs.parquet' (FORMAT parquet)"
        )
        ledger = Ledger(folder / "ledger")
        ledger.take(folder / "costs.parquet")
        places = Decimal("1e-18")
        wanted = Decimal(0)
        for value in values:
            shortest = Decimal(repr(value)).quantize(places, rounding="ROUND_HALF_UP", context=EXACT)
            wanted = EXACT.add(wanted, shortest)
        assert ledger.billed() == {"USD": wanted}
