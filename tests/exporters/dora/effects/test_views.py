"""What is shown of effects."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exporters.dora.effects.model import (
    Amount,
    Confounder,
    ConfounderKind,
    Effect,
    Figures,
    Spent,
    State,
    Subject,
)
from exporters.dora.effects.ranking import ranked
from exporters.dora.effects.rows import from_row, score, to_row
from exporters.dora.effects.views import effect_data, effects_text, page_rows, worst_data, worst_text

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
START, END = AT - timedelta(days=20), AT + timedelta(days=10)
HOUR = timedelta(hours=1)


def amount(value: str, lower: str, upper: str) -> Amount:
    return Amount(Decimal(value), Decimal(lower), Decimal(upper))


FIGURES = Figures(
    Decimal("0.00052"),
    Decimal("0.041"),
    amount("0.0005", "0.0003", "0.0008"),
    amount("0.0405", "0.0402", "0.0407"),
    amount("1234.2", "1220.5", "1240"),
    amount("0.032", "0.031", "0.033"),
    Spent(
        AT + timedelta(minutes=47),
        amount("1100", "1080", "1120"),
        amount("0.183", "0.178", "0.187"),
        "the rollback to 1.4.1",
        True,
    ),
    AT - HOUR, AT, AT + timedelta(minutes=5), AT + timedelta(minutes=65), "past_same_hour", 160,
)  # fmt: skip
BAD = Effect(
    "d1", "checkout", "production", AT, "1.4.2", Subject.SLO, "checkout-availability", State.MEASURED, "", FIGURES,
    (Confounder(ConfounderKind.INCIDENT, "incident INC-7 had begun 2026-11-20 09:43 UTC and went on"),), "30d",
    url="https://ci.example/1",
)  # fmt: skip
DEAR = replace(
    BAD, subject=Subject.UNIT_COST, name="calls", period="", currency="USD", per="1,000 calls", confounders=(),
    figures=replace(
        FIGURES, before=Decimal("1.9"), after=Decimal("2.5"), expected=amount("1.95", "1.8", "2.1"),
        change=amount("0.28", "0.19", "0.39"), extra=amount("8", "5", "10"), per_hour=amount("8", "5", "10"),
        spent=Spent(AT + HOUR, amount("12.34", "8", "16"), None, "", False),
    ),
)  # fmt: skip
CALM = replace(
    BAD, deployment="d2", figures=replace(FIGURES, change=amount("0.001", "-0.001", "0.003")), confounders=()
)  # fmt: skip
BETTER = replace(
    BAD, deployment="d3", figures=replace(FIGURES, change=amount("-0.04", "-0.05", "-0.03")), confounders=()
)  # fmt: skip
UNKNOWN = replace(BAD, deployment="d4", figures=None, state=State.UNKNOWN, reason="0 of 12 slots after it have data")
WORST = """\
Deployments of the last 30 days that cost most error budget

  1. 18.3 % of the 30-day budget (17.8 % … 18.7 %)  checkout-availability
     checkout 1.4.2, production, 2026-11-20 10:00 UTC
     0.052 % → 4.1 % of events bad, +3.2 % of the budget an hour; over 47 min,
       ended by the rollback to 1.4.1
     Beside it: incident INC-7 had begun 2026-11-20 09:43 UTC and went on.

… and most money (USD)

  1. 12.3 USD (8 … 16 USD)  calls
     checkout 1.4.2, production, 2026-11-20 10:00 UTC
     1.9 USD → 2.5 USD for 1,000 calls (+28 %); in the 1 h since, and counting

Deployments: 3 measured, 1 of them without a measurable effect, 1 for the
better, 1 unknown, 2 not measured yet."""
FULL = """\
checkout 1.4.2, production, 2026-11-20 10:00 UTC
Compared: 09:00 to 10:00 with 10:05 to 11:05 UTC

checkout-availability
  before      0.052 % → 4.1 % of events bad, +3.2 % of the budget an hour
  without it  0.05 % (0.03 % … 0.08 %)
  extra       1234 (1220 … 1240) bad events in that time
  spent       18.3 % of the 30-day budget (17.8 % … 18.7 %), over 47 min, ended
              by the rollback to 1.4.1
  interval    95 %, from 160 looks at the days before; what is usual at that
              hour is taken off
  beside it   incident INC-7 had begun 2026-11-20 09:43 UTC and went on"""


def test_the_worst_are_listed_by_budget_and_by_money() -> None:
    found = ranked([BAD, DEAR, CALM, BETTER, UNKNOWN], START, END, waiting=2)
    assert worst_text(found) == WORST
    data = json.loads(json.dumps(worst_data(found)))
    assert data["deployments"] == {
        "measured": 3, "without_measurable_effect": 1, "better": 1, "unknown": 1, "waiting": 2,
        "is_partial": False,
    }  # fmt: skip
    assert data["budgets"][0]["figures"]["spent"]["budget"] == ["0.183", "0.178", "0.187"]


def test_a_deployment_is_listed_once_by_what_it_cost_most_and_ten_are_shown() -> None:
    def spending(deployment: str, name: str, budget: str) -> Effect:
        spent = replace(FIGURES.spent, budget=amount(budget, budget, budget))
        return replace(BAD, deployment=deployment, name=name, figures=replace(FIGURES, spent=spent))

    several = [spending(f"d{number}", "a", f"0.{number:02}") for number in range(1, 15)]
    found = ranked([*several, spending("d3", "b", "0.99")], START, END)
    assert [(each.deployment, each.name) for each in found.budgets[:3]] == [("d3", "b"), ("d14", "a"), ("d13", "a")]
    assert len(found.budgets) == 10
    assert ranked(several, START, END, number=2).budgets[-1].deployment == "d13"


def test_one_deployment_is_shown_in_full() -> None:
    assert effects_text([BAD]) == FULL
    assert "verdict     no measurable effect" in effects_text([CALM])
    assert "unknown     0 of 12 slots after it have data" in effects_text([UNKNOWN])
    assert all(len(line) <= 80 for line in effects_text([BAD, DEAR, UNKNOWN]).splitlines())


def test_long_names_have_a_line_of_their_own() -> None:
    shown = worst_text(ranked([replace(BAD, name="n" * 40)], START, END))
    assert "\n     " + "n" * 40 + "\n" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_without_deployments_it_says_how_they_get_there() -> None:
    assert "docs/how-to/send-events.md" in worst_text(ranked([], START, END))


def test_a_terminal_is_not_steered_by_names() -> None:
    evil = replace(BAD, version="1\x1b[2J", confounders=(Confounder(ConfounderKind.TOGETHER, "a\x1b]0;b\x07"),))
    shown = worst_text(ranked([evil], START, END)) + effects_text([evil])
    assert "\x1b" not in shown
    assert "\x07" not in shown


@pytest.mark.parametrize("effect", [BAD, DEAR, CALM, BETTER, UNKNOWN])
def test_what_is_kept_comes_back_the_same(effect: Effect) -> None:
    row = to_row(effect)
    assert from_row(replace(row, body=json.loads(json.dumps(row.body)))) == effect
    assert effect_data(effect)["state"] == effect.state.value


def test_scores_sort_what_was_surely_spent_first() -> None:
    assert [score(each) for each in (BAD, DEAR, CALM, BETTER, UNKNOWN)] == [
        Decimal("0.183"), Decimal("0.28"), Decimal(0), Decimal("0.183"), None,
    ]  # fmt: skip


def test_pages_have_the_words_ready() -> None:
    rows = page_rows([BAD, DEAR, CALM, BETTER, UNKNOWN])
    assert [each["verdict"] for each in rows] == ["worse", "worse", "no measurable effect", "better", "unknown"]
    assert rows[0]["lasted"] == "over 47 min, ended by the rollback to 1.4.1"
    assert rows[4]["change"] == "0 of 12 slots after it have data"
