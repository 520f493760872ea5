"""The kinds CostSource and ExchangeRates."""

from pathlib import Path

import pytest

from controlplane.specfile import Document, SourceFile, read
from finops.billed.declared import declared, declared_rates
from finops.billed.kinds import KINDS
from finops.billed.model import Format, Term

SOURCE = """\
apiVersion: flyball.dev/v1
kind: CostSource
metadata: {name: aws}
spec:
  path: bills/*.csv
  format: aws
  currencies: [USD, EUR]
  dimensions:
    service: [tag:App, ServiceName]
  tagKeys:
    team: [Team-Name, " owner "]
  bounds: {quarantinedShare: 0.1, files: 20}
"""
RATES = """\
apiVersion: flyball.dev/v1
kind: ExchangeRates
metadata: {name: ecb}
spec:
  source: ECB euro reference rates
  rates:
    - {since: 2026-11-01, from: USD, to: EUR, rate: 0.93}
    - {since: 2026-10-01, from: USD, to: EUR, rate: 0.92}
"""


def documents(text: str) -> tuple[Document, ...]:
    found = read([SourceFile("shop/costs.yaml", text.encode())], KINDS)
    assert found.problems == ()
    return found.documents


def test_a_source_means_what_it_says() -> None:
    (source,) = declared(documents(SOURCE)).values
    assert (source.name, source.path, source.format) == ("aws", "shop/bills/*.csv", Format.AWS)
    assert source.currencies == ("EUR", "USD")
    assert source.dimensions == {"service": (Term(tag="app"), Term(column="ServiceName"))}
    assert source.tag_aliases == {"team-name": "team", "owner": "team"}
    assert (str(source.bounds.quarantined_share), source.bounds.files, source.bounds.seconds) == ("0.1", 20, 3600)


def test_rates_are_in_order_and_cited() -> None:
    (rates,) = declared_rates(documents(RATES)).values
    assert (rates.cited, [str(each.rate) for each in rates.rates]) == ("ECB euro reference rates", ["0.92", "0.93"])


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (("bills/*.csv", "http://x/y"), (5, 9), "`http://` is not read"),
        (("bills/*.csv", "s3://user:pass@x/y"), (5, 9), "a password in a URL"),
        (("name: aws", "name: AWS_bills"), (3, 18), "is not a name"),
        (("tag:App", "tag: "), (9, 15), "names no tag"),
        (("ServiceName", "ServiceNam"), (9, 24), "did you mean `ServiceName`?"),
        (("service:", "day:"), (9, 5), "`day` always means the same"),
        (('" owner "', "x]\n    app: [Team-Name"), (12, 11), "`Team-Name` stands for `team` already"),
        (("format: aws", "endpoint: http://x"), (6, 3), "the path is on this machine"),
        (("bills/*.csv", "s3://x\n  credentials: {key: hunter2}"), (6, 22), "not the name of an environment variable"),
    ],
)
def test_mistakes_in_a_source_are_told_at_their_places(
    change: tuple[str, str], place: tuple[int, int], words: str
) -> None:
    text = SOURCE.replace("[tag:App, ServiceName]", '["tag: ", ServiceName]') if change[1] == "tag: " else SOURCE
    found = declared(documents(text.replace(*change)))
    assert found.values == ()
    (problem,) = found.problems
    assert words in problem.message
    assert (problem.line, problem.column) == place


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("to: EUR, rate: 0.93", "to: USD, rate: 0.93"), "to itself"),
        (("2026-11-01", "2026-13-01"), "is no day"),
        (("2026-11-01", "2026-10-01"), "a second rate"),
    ],
)
def test_mistakes_in_rates_are_told(change: tuple[str, str], words: str) -> None:
    found = declared_rates(documents(RATES.replace(*change)))
    assert found.values == ()
    assert words in found.problems[0].message


def test_a_name_is_taken_once() -> None:
    found = read([SourceFile("a.yaml", f"{SOURCE}---\n{SOURCE}".encode())], KINDS)
    assert ["the name" in each.message or "aws" in each.message for each in found.problems] == [True]
    assert [each.name for each in declared(found.documents).values] == ["aws"]


def test_the_kinds_are_documented() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/cost-ledger.md").read_text()
    from finops.billed.faults import ALL

    assert all(f"`{fault.name}`" in page for fault in ALL)
