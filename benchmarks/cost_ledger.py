"""Bills: ten million FOCUS rows imported and asked about, in a process of its own, from nothing."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import duckdb

from benchmarks.report import Figure, progress, show

ROWS: Final = 10_000_000
SEED: Final = 20_261_130
SECONDS: Final = 10.0
LIVE_SECONDS: Final = 1.0
MEMORY_GIB: Final = 4.0
QUESTIONS: Final = {
    "service × day × tag": ("service", "day", "team"),
    "service": ("service",),
    "account × region × category": ("account", "region", "category"),
    "tag × tag × day": ("team", "env", "day"),
}
DETAILED: Final = {"hour": ("hour",), "resource": ("resource",)}

# One month as AWS exports it: costs are DOUBLE, tags a MAP; 20,000 resources, each with its service, account and tags.
GENERATE: Final = """
COPY (
  SELECT
    CAST(amount AS DOUBLE) AS BilledCost, '111122223333' AS BillingAccountId, 'USD' AS BillingCurrency,
    TIMESTAMP '2026-11-01' AS BillingPeriodEnd, TIMESTAMP '2026-10-01' AS BillingPeriodStart,
    CASE WHEN h % 1000 = 0 THEN 'Tax' WHEN h % 500 = 1 THEN 'Credit' ELSE 'Usage' END AS ChargeCategory,
    CAST(NULL AS VARCHAR) AS ChargeClass, 'charge ' || (r % 400) AS ChargeDescription,
    'Usage-Based' AS ChargeFrequency,
    TIMESTAMP '2026-10-01' + to_hours(CAST(h % 744 AS INTEGER) + 1) AS ChargePeriodEnd,
    TIMESTAMP '2026-10-01' + to_hours(CAST(h % 744 AS INTEGER)) AS ChargePeriodStart,
    CASE WHEN r % 20 = 0 THEN 'Used' END AS CommitmentDiscountStatus,
    CAST(amount * 2 AS DOUBLE) AS ConsumedQuantity, 'Hours' AS ConsumedUnit, CAST(amount AS DOUBLE) AS ContractedCost,
    CAST(amount * 0.9 AS DOUBLE) AS EffectiveCost, CAST(amount * 1.1 AS DOUBLE) AS ListCost, 'AWS' AS ProviderName,
    ['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1'][1 + r % 4] AS RegionId,
    'arn:aws:ec2:us-east-1:111122223333:instance/i-' || r AS ResourceId, 'Compute' AS ServiceCategory,
    'Amazon Service ' || (r % 40) AS ServiceName, 'SKU' || (r % 400) AS SkuId, 'acct-' || (r % 25) AS SubAccountId,
    MAP {{'app': 'app-' || (r % 97), 'team': 'team-' || (r % 11), 'env': ['prod', 'stage', 'dev'][1 + r % 3],
         'cost-center': 'cc' || (r % 29)}} AS Tags
  FROM (
    SELECT hash(i + {seed}) AS h, CAST(hash(i * 7 + {seed}) % 20000 AS INTEGER) AS r,
      CAST(hash(i * 3 + {seed}) % 100000000 AS DECIMAL(18, 0)) * 0.0000000010 AS amount
    FROM range({rows}) AS numbers(i)
  )
) TO '{path}' (FORMAT parquet)
"""

CHILD: Final = """
import json, resource, sys, time
begun = time.monotonic()
from datetime import UTC, datetime
from pathlib import Path
from controlplane.model.spend import SpendQuestion
from finops.billed.adapters.duckdb_ledger import open_ledger
from finops.billed.adapters.importer import Importer
from finops.billed.model import CostSource

MONTH = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
folder, path, questions = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
outcome = Importer(folder).run(CostSource("bills", path), datetime(2026, 11, 30, tzinfo=UTC))
assert not outcome.refused, outcome.problems
imported = time.monotonic()
ledger = open_ledger(folder)
seconds = {}
total = None
for name, by in questions.items():
    before = time.monotonic()
    answer = ledger.spend(SpendQuestion(*MONTH, tuple(by)))
    seconds.setdefault(name, []).append(time.monotonic() - before)
    used = resource.getrusage(resource.RUSAGE_SELF)
    total = total or [time.monotonic() - begun, len(answer.rows), used.ru_utime + used.ru_stime]
for name, by in questions.items():
    for _ in range(3):
        before = time.monotonic()
        ledger.spend(SpendQuestion(*MONTH, tuple(by)))
        seconds[name].append(time.monotonic() - before)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
print(json.dumps({
    "import": imported - begun, "first": total, "seconds": seconds, "peak": peak,
    "rows": sum(each.partition.rows for each in outcome.imported),
}))
"""


def generate(path: Path, rows: int = ROWS) -> None:
    """The same rows each time."""
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(GENERATE.format(rows=rows, seed=SEED, path=path))
    connection.close()


def run() -> None:
    """Generate, import, ask."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        progress(f"generating {ROWS:,} rows")
        generate(folder / "focus.parquet")
        os.sync()
        progress("importing them")
        load = os.getloadavg()[0]
        questions = json.dumps({**QUESTIONS, **DETAILED})
        done = subprocess.run(
            [sys.executable, "-c", CHILD, folder / "ledger", folder / "focus.parquet", questions],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        show("Cost ledger: ten million rows", _figures(json.loads(done.stdout), load, _size(folder)))


def _figures(measured: dict[str, object], load: float, megabytes: tuple[float, float]) -> list[Figure]:
    first, seconds = measured["first"], measured["seconds"]
    assert isinstance(first, list)
    assert isinstance(seconds, dict)
    beside = f"load {load:.1f} before it began"
    figures = [
        Figure(
            "rows",
            float(str(measured["rows"])),
            "rows",
            detail=f"{megabytes[0]:.0f} MB parquet, ledger {megabytes[1]:.0f} MB",
        ),
        Figure("import", float(str(measured["import"])), "s", detail=beside),
        Figure(
            "import and spend by service × day × tag, cold",
            first[0],
            "s",
            SECONDS,
            detail=f"{first[1]:,} sums; {beside}",
        ),
        Figure("the same, in processor time", first[2], "s", detail="of all cores together"),
        Figure("peak memory", float(str(measured["peak"])), "GiB", MEMORY_GIB),
    ]
    for name in QUESTIONS:
        figures.append(Figure(f"live: spend by {name}", max(seconds[name][1:]), "s", LIVE_SECONDS))
    for name in DETAILED:
        figures.append(Figure(f"live, from single rows: spend by {name}", max(seconds[name][1:]), "s", LIVE_SECONDS))
    return figures


def _size(folder: Path) -> tuple[float, float]:
    ledger = sum(path.stat().st_size for path in (folder / "ledger").rglob("*") if path.is_file())
    return (folder / "focus.parquet").stat().st_size / 1e6, ledger / 1e6
