"""The pages about money and their JSON twins over HTTP."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from controlplane.ports import Permanent
from controlplane.specfile import SourceFile, read
from finops.budgets.declared import declared
from finops.budgets.kinds import KINDS
from flyball.web.state import Ledgers
from tests.flyball.web import money_world, world
from tests.flyball.web.conftest import MoneyConsoles
from tests.flyball.web.test_console import words

get = httpx.Client().get  # one for all: each would read the certificates of the system again
NASTY_PATH = f"/money/{quote(f'nasty {world.NASTY}', safe='')}"
PAGES = (
    "/money", "/money?by=tenant&ledger=billed&page=7", "/money/infrastructure", "/money/batch", "/money/stopped",
    "/money/unheard-of", NASTY_PATH, "/money/unit-costs/ingest", "/money/unit-costs/rows?range=1d", "/money/sources",
    "/money/nobody", "/money/unit-costs/nobody",
)  # fmt: skip


def row_of(page: str, title: str) -> str:
    """The words of one row of the list of budgets."""
    start = page.index(f">{title}</a>")
    return words(page[start : page.index("</tr>", start)])


def test_what_pages_comes_first_and_what_is_well_last(money: MoneyConsoles) -> None:
    page = get(f"{money.full}/money").text
    order = re.findall(r'scope="row"><a href="/money/([^"/]+)"', page)
    assert order[:3] == ["llm", "infrastructure", "tenant-alpha"]
    assert order.index("unheard-of") < order.index("stopped") < order.index("backups") < order.index("tenant-beta")


def test_a_row_tells_amount_spent_left_pace_burn_rate_forecast_and_when_it_is_gone(money: MoneyConsoles) -> None:
    row = row_of(get(f"{money.full}/money").text, "Infrastructure")
    for told in (
        "forecast over", "9,720 USD", "of 18,000", "pace 9,540", "46.0 %", "0.973×", "19,080 USD", "18,180 to 20,340",
        "13 d 16 h", "ticket", "service graphql-gateway or neo4j",
    ):  # fmt: skip
        assert told in row, told


def test_missing_money_is_not_zero(money: MoneyConsoles) -> None:
    row = row_of(get(f"{money.full}/money").text, "unheard-of")
    assert row.count("no data") >= 4
    assert "0 USD" not in row.replace("100 USD", "")
    found = get(f"{money.full}/api/v1/budgets/unheard-of").json()
    assert found["standing"] == "no_data"
    assert [found[key] for key in ("spent", "left", "spent_ratio", "forecast", "hourly_spend")] == [None] * 5
    assert "Nobody knows what unheard-of spent" in words(get(f"{money.full}/money/unheard-of").text)


def test_what_stands_still_is_stale_and_never_ok(money: MoneyConsoles) -> None:
    assert get(f"{money.full}/api/v1/budgets/stopped").json()["standing"] == "stale"
    assert "Nothing new was measured" in words(get(f"{money.full}/money/stopped").text)


def test_currencies_stand_beside_every_amount_and_are_never_added(money: MoneyConsoles) -> None:
    assert "396 EUR" in row_of(get(f"{money.full}/money").text, "tenant-beta")
    text = words(get(f"{money.full}/money/infrastructure").text)
    assert "In EUR: 576 EUR, not added." in text


def test_one_budget_tells_what_happened_and_what_to_do(money: MoneyConsoles) -> None:
    text = words(get(f"{money.full}/money/infrastructure").text)
    for told in (
        "Infrastructure spent 9,720 USD of 18,000 USD. By now 9,540 USD were planned.",
        "The month is forecast to cost 19,080 USD (18,180 to 20,340), 1,080 USD too much.",
        "9,720 USD spent by 2026-09-16 12:34 UTC. One alert fired.",
        "BudgetBurn, ticket: ", "deployment of neo4j 5.2: 2026-09-11", "import of aws: 2026-09-13", "restated of aws",
        "--to 2026-09-16 --where 'service=graphql-gateway|neo4j|ingest|subscriptions'",
        "neo4j 3,720 56.4 %", "money/budgets.yaml:3",
        "the last 2 days of a month × 1.5", "In 8 of 10 cases 18,180 to 20,340", "Forecasts were off 4.3 %",
    ):  # fmt: skip
        assert told in text, told


def test_unit_costs_tell_cost_target_and_the_dearest_part(money: MoneyConsoles) -> None:
    page = get(f"{money.full}/money").text
    order = re.findall(r'href="/money/unit-costs/([^"?]+)', page)
    assert list(dict.fromkeys(order)) == ["ingest", "graphql", "rows"]
    row = row_of(page, "Ingested events")
    for told in ("above target", "1,000 ingested events", "0.15 USD", "0.1 USD", "150 %", "connector jdbc", "of 3"):
        assert told in row
    text = words(get(f"{money.full}/money/unit-costs/ingest").text)
    assert "1,000 ingested events cost 0.15 USD for connector jdbc, the dearest of 3." in text
    assert "1,000 events cost 0.131 USD" in text  # its alert
    found = {each["name"]: each for each in get(f"{money.full}/api/v1/unit-costs").json()["unit_costs"]}
    assert found["ingest"]["target"] == "0.10"
    assert Decimal(found["ingest"]["cost"]) == pytest.approx(Decimal("0.1503"), abs=Decimal("0.0005"))
    assert found["rows"]["cost"] is None
    assert found["rows"]["standing"] == "no_data"


def test_movers_tell_what_changed_between_the_two_weeks(money: MoneyConsoles) -> None:
    text = words(get(f"{money.full}/money").text)
    assert "neo4j 1,440 2,280 +840 +58.3 % USD" in text
    assert "2026-09-09 12:00 UTC to 2026-09-16 12:00 UTC" in text
    billed = words(get(f"{money.full}/money?ledger=billed").text)
    assert "2026-09-07 00:00 UTC to 2026-09-14 00:00 UTC" in billed


def test_the_sources_tell_how_far_to_trust_the_figures(money: MoneyConsoles) -> None:
    text = words(get(f"{money.full}/money/sources").text)
    for told in (
        "aws 2026-09-14 12:34 UTC 2 d 41,230 charge_without_currency 17", "llm-tokens stale", "nodes ok",
        "llm-tokens token gpt-unheard-of 51,234", "neo4j 1.08× USD", "restated 2026-09-14 12:34 UTC aws",
        f"2026-08: neo4j +45.8 USD, {world.NASTY} −0.5 USD", "2026-09: 41,230 rows, 3 quarantined, 9,120 USD billed",
    ):  # fmt: skip
        assert told in text, told
    assert "Cost data is stale: llm-tokens." in words(get(f"{money.full}/money").text)


def test_without_anything_every_part_says_how_to_fill_it(money: MoneyConsoles) -> None:
    text = words(get(f"{money.empty}/money").text)
    for told in ("No budgets yet", "No unit costs yet.", "There is no cost ledger yet.", "no bills"):
        assert told in text
    text = words(get(f"{money.empty}/money/sources").text)
    for told in ("No bill was read yet.", "Nothing is priced live yet.", "None in 90 days."):
        assert told in text


def test_the_example_of_a_budget_is_one(money: MoneyConsoles) -> None:
    page = get(f"{money.empty}/money").text
    example = unescape(page[page.index("<pre><code>") + 11 : page.index("</code></pre>")])
    found = declared(read([SourceFile("budget.yaml", example.encode())], KINDS).documents)
    assert found.problems == ()
    assert [(budget.name, budget.amount, budget.currency) for budget in found.values] == [("llm", Decimal(5000), "USD")]
    assert example.count("\n") == 9


def test_without_prometheus_and_the_database_pages_say_so(money: MoneyConsoles) -> None:
    for path in ("/money", "/money/infrastructure", "/money/unit-costs/ingest", "/money/sources"):
        answer = get(money.alone + path)
        assert answer.status_code == 200
        text = words(answer.text)
        assert "Prometheus does not answer." in text
        assert "The database does not answer," in text
    assert "no data" in row_of(get(f"{money.alone}/money").text, "Infrastructure")
    assert get(f"{money.alone}/api/v1/budgets").json()["failure"]


def test_a_ledger_that_fails_takes_nothing_else_with_it(money: MoneyConsoles) -> None:
    class Broken:
        def spend(self, question: object) -> object:
            raise Permanent("the catalogue is damaged")

    state = replace(money_world.everything(), given_ledgers=Ledgers(billed=Broken()))  # type: ignore[arg-type]
    with world.serving(money_world.application(money.state, state)) as url:
        text = words(get(f"{url}/money").text)
        assert "The ledger cannot be read: the catalogue is damaged" in text
        assert "9,720 USD" in text
        assert "the catalogue is damaged" in words(get(f"{url}/money/infrastructure").text)


@pytest.mark.parametrize("path", PAGES)
def test_what_users_wrote_about_money_is_text(money: MoneyConsoles, path: str) -> None:
    answer = get(money.full + path)
    assert "<script>alert" not in answer.text
    assert "javascript:" not in answer.text
    assert not re.search(r'\son\w+="', answer.text)
    assert " style=" not in answer.text
    assert re.findall(r"<script(?! src=)", answer.text) == []
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_what_is_not_there_is_not_found(money: MoneyConsoles) -> None:
    for path in ("/money/nobody", "/money/unit-costs/nobody"):
        assert get(money.full + path).status_code == 404
    moved = get(f"{money.full}/budgets/{quote('a/../b', safe='')}")
    assert (moved.status_code, moved.headers["location"]) == (308, "/money/a%2F..%2Fb")
    answer = get(f"{money.full}/api/v1/budgets/nobody")
    assert answer.status_code == 404
    assert "nobody" in answer.json()["error"]


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=99999999999", "page=٣", "by=';drop", "ledger=x&by=x"])
def test_whatever_a_reader_asks_for_is_bounded(money: MoneyConsoles, query: str) -> None:
    answer = get(f"{money.full}/money?{query}")
    assert answer.status_code == 200
    assert "drop" not in words(answer.text)
    assert get(f"{money.full}/money/unit-costs/ingest?range={query}").status_code == 200


def test_json_has_money_as_decimal_strings(money: MoneyConsoles) -> None:
    answer = get(f"{money.full}/api/v1/budgets")
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    budget = next(each for each in found["budgets"] if each["name"] == "infrastructure")
    assert budget["amount"] == "18000"
    assert isinstance(budget["spent"], str)
    assert Decimal(budget["spent"]) + Decimal(budget["left"]) == Decimal(budget["amount"])
    assert budget["forecast"]["middle"] == "19080.0"
    assert budget["firing"] == ["ticket"]
    assert budget["window_end"] == "2026-10-01T00:00:00Z"
    assert found["ledgers"]["silent_prices"] == ["llm-tokens"]
    assert found["total"] == 9
    one = get(f"{money.full}/api/v1/budgets/infrastructure").json()
    assert len(one["history"]["spent"]) <= 361
    assert one["history"]["alerts"][0]["severity"] == "ticket"
    assert json.dumps(one)


def test_many_budgets_come_in_pages(money: MoneyConsoles) -> None:
    budgets = [money_world.a_budget(f"b{number:04}") for number in range(250)]
    with world.serving(money_world.application(money.state, money_world.Money(budgets))) as url:
        page = get(f"{url}/money?page=3").text
        assert "Page 3 of 3" in words(page)
        assert len(re.findall(r'scope="row"><a href="/money/b', page)) == 50
        assert get(f"{url}/api/v1/budgets?page=3").json()["pages"] == 3


def test_an_alert_about_money_leads_to_its_page(money: MoneyConsoles) -> None:
    page = get(f"{money.full}/alerts").text
    assert '<a href="/money/llm">llm</a>' in page
    assert '<a href="/money/unit-costs/ingest">ingest</a>' in page


def test_why_there_is_no_forecast_and_what_is_not_counted_is_told(money: MoneyConsoles) -> None:
    assert "no forecast too short" in row_of(get(f"{money.full}/money").text, "backups")
    text = words(get(f"{money.full}/money/backups").text)
    assert "There is no forecast: its history is too short." in text
    assert "What fits its scope is also paid in GBP." in text
    found = get(f"{money.full}/api/v1/budgets/backups").json()
    assert (found["forecast_missing"], found["other_currencies"]) == ("too short", ["GBP"])


def test_what_fires_about_money_stands_on_top(money: MoneyConsoles) -> None:
    page = get(f"{money.full}/money").text
    text = words(page)
    assert text.index("Firing now 2") < text.index("Budgets 9")
    assert "llm: money goes 8 times as fast as planned" in text
    assert "No alert about money is firing." in words(get(f"{money.empty}/money").text)
    assert "Whether alerts fire is not known." in words(get(f"{money.alone}/money").text)


def test_alerts_that_fire_and_were_not_received_are_not_denied(money: MoneyConsoles, tmp_path: Path) -> None:
    deaf = replace(money.state, store=world.a_store(tmp_path, []))
    with world.serving(money_world.application(deaf, money_world.everything())) as url:
        text = words(get(f"{url}/money").text)
    assert "Alerts fire in Prometheus, and none was received" in text
    assert "No alert about money is firing." not in text
