"""The bills of the simulated platform: FOCUS 1.2 files of two providers for two months, the same for the same history.

AWS: a data export with BILLING_PERIOD partitions and a manifest each, gzipped CSV; usage split to services by tags,
a savings plan that pays for the graph's nodes, a credit, tax. OpenAI: one plain CSV a month, kept by hand, with the
data faults of hand-kept files. What counts of both comes to 1.04 times what the platform's metrics say at list prices:
what is billed never quite equals what was estimated.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from flyball.demo.platform.shapes import Catalogue
from flyball.demo.platform.simulation import Simulation
from flyball.demo.platform.spending import Bought, Spend, days_between, spend_of

BILLED_RATIO: Final = Decimal("1.04")  # effective cost to metrics × list prices
EXPORT: Final = "intelgraph-focus"
_TAX_SHARE: Final = Decimal("0.02")
_CREDIT_SHARE: Final = Decimal("-0.01")
_AWS_RATIO: Final = BILLED_RATIO / (1 + _TAX_SHARE + _CREDIT_SHARE)
_UNUSED_SHARE: Final = Decimal("0.03")  # of the savings plan
_PLACES: Final = Decimal("0.0000000001")
_PLAN: Final = "arn:aws:savingsplans::111122223333:savingsplan/5f1c2c0e-graph"
_PLANNED_TYPE: Final = "r6i.12xlarge"
_ROWS_A_FILE: Final = 1_000
_ZERO: Final = Decimal(0)
_TEAMS: Final = {
    "ai": "team-ai",
    "connectors": "team-ingest",
    "edge": "team-edge",
    "graph": "team-graph",
    "ingest": "team-ingest",
    "trust": "team-trust",
    "workflows": "team-automation",
}
Row = dict[str, str]

COLUMNS: Final = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountStatus",
    "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost",
    "PricingCategory", "PricingCurrency", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId",
    "ResourceId", "ServiceCategory", "ServiceName", "SkuId", "SubAccountId", "SubAccountName", "Tags",
)  # fmt: skip
_AWS: Final[Row] = {
    "BillingAccountId": "111122223333",
    "BillingAccountName": "IntelGraph",
    "BillingAccountType": "Management Account",
    "InvoiceIssuerName": "Amazon Web Services EMEA SARL",
    "ProviderName": "AWS",
    "PublisherName": "AWS",
    "SubAccountId": "444455556666",
    "SubAccountName": "intelgraph-production",
}
_OPENAI: Final[Row] = {
    "BillingAccountId": "org-intelgraph",
    "BillingAccountName": "IntelGraph",
    "BillingAccountType": "Organization",
    "InvoiceIssuerName": "OpenAI",
    "ProviderName": "OpenAI",
    "PublisherName": "OpenAI",
    "SubAccountId": "proj-production",
    "SubAccountName": "production",
}
_PLAN_ROW: Final[Row] = {
    "CommitmentDiscountCategory": "Spend",
    "CommitmentDiscountId": _PLAN,
    "PricingCategory": "Committed",
    "ServiceCategory": "Compute",
    "ServiceName": "Savings Plans for AWS Compute usage",
}


@dataclass(frozen=True, slots=True)
class Month:
    """A billing period as far as it is billed: its days from `first` to before `end`."""

    first: date
    end: date

    @property
    def name(self) -> str:
        """As partitions are called: `2026-11`."""
        return f"{self.first:%Y-%m}"

    @property
    def following(self) -> date:
        """The first day of the next month."""
        return (self.first + timedelta(days=32)).replace(day=1)


def write_cost_files(folder: Path, simulation: Simulation, catalogue: Catalogue, now: datetime) -> tuple[Month, ...]:
    """Write `aws/…` and `openai/…` below `folder` for the last two months that have a whole day behind them (UTC)."""
    months = months_until(now.astimezone(UTC).date())
    tags = {service.name: _tags(service.name, service.namespace) for service in catalogue.services}
    for month in months:
        spends = [spend for day in days_between(month.first, month.end) for spend in spend_of(simulation, day)]
        _write_aws(folder / "aws" / EXPORT, month, list(_aws_rows(month, spends, tags)))
        rows = [*_openai_rows(month, spends, tags), *_rows_that_do_not_count(month)]
        _write(folder / "openai" / f"openai-{month.name}.csv", _csv(rows))
    return months


def months_until(today: date) -> tuple[Month, Month]:
    """The whole month before that of yesterday, and that of yesterday as far as yesterday."""
    current = (today - timedelta(days=1)).replace(day=1)
    before = (current - timedelta(days=1)).replace(day=1)
    return Month(before, current), Month(current, today)


def _aws_rows(month: Month, spends: Iterable[Spend], tags: Mapping[str, Row]) -> Iterator[Row]:
    usage = planned = unused = _ZERO
    for spend in spends:
        cost = _money(spend.usd * _AWS_RATIO)
        if spend.bought is Bought.TOKENS:
            continue
        usage += cost
        if spend.kind == _PLANNED_TYPE:
            cut = _money(cost * _UNUSED_SHARE)
            planned, unused = planned + cost, unused + cut
            yield _node_row(month, spend, cost - cut, tags) | _used_plan()
        elif spend.bought is Bought.NODE:
            yield _node_row(month, spend, cost, tags)
        else:
            yield _egress_row(month, spend, cost, tags)
    yield from _plan_rows(month, planned, unused)
    yield _once(month, "Tax", "Tax", "value added tax", _money(usage * _TAX_SHARE))
    yield _once(month, "Credit", "AWS Credits", "migration credit", _money(usage * _CREDIT_SHARE))


def _node_row(month: Month, spend: Spend, cost: Decimal, tags: Mapping[str, Row]) -> Row:
    return _usage(month, spend, cost, tags, unit="Hours", quantity=spend.quantity) | {
        **_AWS,
        "ChargeDescription": f"{spend.kind} in {spend.region}",
        "ResourceId": spend.resource,
        "ServiceCategory": "Compute",
        "ServiceName": "Amazon Elastic Compute Cloud",
        "SkuId": f"BoxUsage:{spend.kind}",
    }


def _used_plan() -> Row:
    """What the plan has paid for already is not billed again."""
    return {
        "BilledCost": "0",
        "CommitmentDiscountCategory": "Spend",
        "CommitmentDiscountId": _PLAN,
        "CommitmentDiscountStatus": "Used",
        "PricingCategory": "Committed",
    }


def _egress_row(month: Month, spend: Spend, cost: Decimal, tags: Mapping[str, Row]) -> Row:
    return _usage(month, spend, cost, tags, unit="GB", quantity=_money(spend.quantity / 10**9)) | {
        **_AWS,
        "ChargeDescription": "data transfer out to the internet",
        "ServiceCategory": "Networking",
        "ServiceName": "AWS Data Transfer",
        "SkuId": "EU-DataTransfer-Out-Bytes",
    }


def _plan_rows(month: Month, planned: Decimal, unused: Decimal) -> Iterator[Row]:
    """The month's fee, billed on its first day, and what of the plan nobody used so far."""
    days = (month.following - month.first).days
    fee = _money(planned * days / (month.end - month.first).days)
    yield _row(month, month.first, month.first + timedelta(days=1)) | {
        **_AWS,
        **_PLAN_ROW,
        "BilledCost": str(fee),
        "ContractedCost": str(fee),
        "ListCost": str(fee),
        "EffectiveCost": "0",
        "ChargeCategory": "Purchase",
        "ChargeDescription": "Compute Savings Plan, 3 years, paid monthly",
        "ChargeFrequency": "Recurring",
    }
    yield _row(month, month.first, month.end) | {
        **_AWS,
        **_PLAN_ROW,
        "EffectiveCost": str(unused),
        "ChargeDescription": "unused part of the Compute Savings Plan",
        "CommitmentDiscountStatus": "Unused",
    }


def _once(month: Month, category: str, service: str, description: str, cost: Decimal) -> Row:
    return _row(month, month.first, month.end) | {
        **_AWS,
        **_all_costs(cost),
        "ChargeCategory": category,
        "ChargeDescription": description,
        "ChargeFrequency": "Recurring" if category == "Tax" else "One-Time",
        "ServiceCategory": "Other",
        "ServiceName": service,
    }


def _openai_rows(month: Month, spends: Iterable[Spend], tags: Mapping[str, Row]) -> Iterator[Row]:
    """Rows that count, though every seventh day somebody else kept the book."""
    for spend in spends:
        if spend.bought is not Bought.TOKENS:
            continue
        row = _usage(month, spend, _money(spend.usd * BILLED_RATIO), tags, unit="Tokens", quantity=spend.quantity) | {
            **_OPENAI,
            "ChargeDescription": f"{spend.kind} tokens",
            "ServiceCategory": "AI and Machine Learning",
            "ServiceName": "OpenAI API",
            "SkuId": spend.kind.replace(" ", "-"),
        }
        yield _carelessly(row) if spend.day.day % 7 == 3 else row


def _carelessly(row: Row) -> Row:
    """Faults that leave no doubt what was meant: NULL, letter case, times without a zone, keys with spaces."""
    tags = json.loads(row["Tags"])
    return row | {
        "ChargeCategory": row["ChargeCategory"].lower(),
        "ChargePeriodStart": row["ChargePeriodStart"].removesuffix("Z"),
        "ChargePeriodEnd": row["ChargePeriodEnd"].removesuffix("Z"),
        "CommitmentDiscountId": "NULL",
        "Tags": _json({f" {key}": value for key, value in tags.items()}),
    }


def _rows_that_do_not_count(month: Month) -> Iterator[Row]:
    """Faults that leave a row without meaning: it is told, and put aside."""
    whole = _once(month, "Usage", "OpenAI API", "kept by hand", Decimal("1.25")) | _OPENAI
    yield whole | {"BilledCost": "NaN", "EffectiveCost": "NaN"}
    yield whole | {"ConsumedQuantity": "-120", "ConsumedUnit": "Tokens"}
    yield whole | {"ChargePeriodStart": whole["ChargePeriodEnd"], "ChargePeriodEnd": whole["ChargePeriodStart"]}


def _usage(month: Month, spend: Spend, cost: Decimal, tags: Mapping[str, Row], *, unit: str, quantity: Decimal) -> Row:
    own = tags.get(spend.service, {"service": spend.service}) | ({"tenant": spend.tenant} if spend.tenant else {})
    return _row(month, spend.day, spend.day + timedelta(days=1)) | {
        **_all_costs(cost),
        "ListCost": str(max(cost, _money(spend.usd))),
        "ConsumedQuantity": f"{quantity:f}",
        "ConsumedUnit": unit,
        "PricingCategory": "Standard",
        "PricingQuantity": f"{quantity:f}",
        "PricingUnit": unit,
        "RegionId": spend.region,
        "Tags": _json(own),
    }


def _row(month: Month, start: date, end: date) -> Row:
    return dict.fromkeys(COLUMNS, "") | {
        "BilledCost": "0",
        "ContractedCost": "0",
        "EffectiveCost": "0",
        "ListCost": "0",
        "BillingCurrency": "USD",
        "BillingPeriodEnd": _midnight(month.following),
        "BillingPeriodStart": _midnight(month.first),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": _midnight(end),
        "ChargePeriodStart": _midnight(start),
        "PricingCurrency": "USD",
        "Tags": "{}",
    }


def _all_costs(cost: Decimal) -> Row:
    return dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), f"{cost:f}")


def _tags(service: str, namespace: str) -> Row:
    return {"namespace": namespace, "service": service, "team": _TEAMS.get(namespace, "")}


def _write_aws(folder: Path, month: Month, rows: Sequence[Row]) -> None:
    """Data files first, then the manifest that names them, as AWS does."""
    partition = f"BILLING_PERIOD={month.name}"
    names = []
    for number, first in enumerate(range(0, len(rows), _ROWS_A_FILE), start=1):
        name = f"data/{partition}/{EXPORT}-{number:05}.csv.gz"
        _write(folder / name, gzip.compress(_csv(rows[first : first + _ROWS_A_FILE]), mtime=0))
        names.append(f"s3://intelgraph-billing/{EXPORT}/{name}")
    manifest = {
        "exportArn": f"arn:aws:bcm-data-exports:us-east-1:111122223333:export/{EXPORT}",
        "executionId": f"{month.end:%Y%m%d}T000000Z",
        "billingPeriod": {"start": _midnight(month.first), "end": _midnight(month.following)},
        "dataFiles": names,
    }
    path = folder / "metadata" / partition / f"{EXPORT}-Manifest.json"
    _write(path, json.dumps(manifest, indent=2).encode())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _csv(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _json(tags: Mapping[str, str]) -> str:
    return json.dumps({key: value for key, value in sorted(tags.items()) if value})


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _money(value: Decimal) -> Decimal:
    return value.quantize(_PLACES)
