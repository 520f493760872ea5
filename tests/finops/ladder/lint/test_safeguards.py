"""Journeys, brakes, the emergency jump, growth, times."""

import pytest

from tests.finops.ladder.reading.documents import LADDER, REST, STORE, problems_after, problems_in

CASES = [
    pytest.param(
        "      journeys: [core-flow]\n    - name: throttle",
        "    - name: throttle",
        [
            (
                "spec.tiers[0].journeys «name: observe» nothing verifies tier 1 `observe`: no journey must be green"
                " before it stands = name some: core-flow [ladder-journey]"
            ),
        ],
        id="no-journey",
    ),
    pytest.param(
        "journeys: [core-flow]",
        "journeys: []",
        [
            (
                "spec.tiers[0].journeys «[]» nothing verifies tier 1 `observe`: no journey must be green before it"
                " stands = name some: core-flow [ladder-journey]"
            ),
        ],
        id="empty-journeys",
    ),
    pytest.param(
        "fromTier: 2",
        "fromTier: 4",
        [
            "spec.brakes[0].fromTier «4» brakes no tier: there are only 3 = at most 3 [ladder-brake]",
        ],
        id="brake-above-the-top",
    ),
    pytest.param(
        "fromTier: 2",
        "fromTier: 1",
        [
            (
                "spec.brakes[0].fromTier «1» warning: no tier lies below it: while the budget of"
                " `gateway-availability` is gone nothing saves money = brake from the first tier on that degrades"
                " this flow [ladder-brake]"
            ),
        ],
        id="brake-on-everything",
    ),
    pytest.param(
        "fromTier: 2}",
        "fromTier: 2}\n    - {slo: gateway-availability, fromTier: 3}",
        [
            (
                "spec.brakes[1].slo «gateway-availability» SLO `gateway-availability` brakes already = one brake for"
                " each SLO: the lower tier [ladder-brake]"
            ),
        ],
        id="brake-twice",
    ),
    pytest.param(
        "any: {llm-spike: 10, queue: 1000}",
        "any: {llm-spike: 10, llm-burn: 20}",
        [
            (
                "spec.signals[3].name «queue» warning: nothing looks at the signal `queue` = remove it, or use it in"
                " a condition [ladder-reference]"
            ),
            (
                "spec.emergency.any «{llm-spike: 10, llm-burn: 20}» its signals do not confirm each other: all are"
                " of the group `budget/llm` = two must hold that come from different sources: add a signal of"
                " another budget, unit cost or query [ladder-emergency]"
            ),
        ],
        id="jump-of-one-group",
    ),
    pytest.param(
        "query: max(queue_length)",
        "query: max(queue_length), group: budget/llm",
        [
            (
                "spec.emergency.any «{llm-spike: 10, queue: 1000}» its signals do not confirm each other: all are of"
                " the group `budget/llm` = two must hold that come from different sources: add a signal of another"
                " budget, unit cost or query [ladder-emergency]"
            ),
        ],
        id="jump-of-one-named-group",
    ),
    pytest.param(
        "spike}\n    - {name: queue, query: max(queue_length)",
        "spike, anomaly: traffic}\n    - {name: queue, anomaly: traffic",
        [
            (
                "spec.emergency.any.queue «queue» warning: `llm-spike` and `queue` are not independent: both go by the"
                " anomalies of `traffic` = give both the same `group`, and add a signal from another source"
                " [ladder-emergency]"
            ),
        ],
        id="jump-by-one-detector",
    ),
    pytest.param(
        "any: {llm-spike: 10, queue: 1000}",
        "any: {llm-spike: 10}",
        [
            "spec.emergency.any «{llm-spike: 10}» needs 2 entries or more, has 1 [bad-value]",
        ],
        id="jump-of-one-signal",
    ),
    pytest.param(
        "emergency: {tier: 3",
        "emergency: {tier: 4",
        [
            "spec.emergency.tier «4» there is no tier 4: there are only 3 = at most 3 [ladder-emergency]",
        ],
        id="jump-above-the-top",
    ),
    pytest.param(
        "emergency: {tier: 3",
        "emergency: {tier: 1",
        [
            (
                "spec.emergency.tier «1» warning: jumps over nothing: tier 1 is the next one from full service ="
                " remove it, or name a higher tier [ladder-emergency]"
            ),
        ],
        id="jump-to-the-first",
    ),
    pytest.param(
        "signal: call-cost",
        "signal: llm-burn",
        [
            (
                "spec.signals[4].name «call-cost» warning: nothing looks at the signal `call-cost` = remove it, or"
                " use it in a condition [ladder-reference]"
            ),
            (
                "spec.growth.signal «llm-burn» warning: `llm-burn` is no unit cost: whether spend grows with use is"
                " not to be seen from it = name a signal with `unitCost` [ladder-growth]"
            ),
        ],
        id="growth-by-no-unit-cost",
    ),
    pytest.param(
        "saving: 4\n",
        "saving: 40\n",
        [
            (
                "spec.tiers[1].saving «40» warning: budget `llm` spends 6.94 USD an hour at its pace: with so much"
                " saved `llm-burn` would be 5.8 at least without the tier, so it is not left below 2 = write what it"
                " saves in a usual hour, or a higher threshold in `exit` [ladder-saving]"
            ),
        ],
        id="saving-more-than-is-spent",
    ),
    pytest.param(
        "saving: 4\n",
        "saving: 13\n",
        [],
        id="saving-as-much-as-allows-to-leave",
    ),
    pytest.param(
        "saving: 4",
        "saving: 4\n      dwell: 0s",
        [
            "spec.tiers[1].dwell «0s» must be between 1s and 7d, is 0s [ladder]",
        ],
        id="dwell-of-nothing",
    ),
    pytest.param(
        "saving: 4",
        "saving: 4\n      dwell: 30s",
        [
            (
                "spec.tiers[1].dwell «30s» warning: shorter than the time between two samples (1m): it keeps nothing"
                " = such as 15m [ladder-timing]"
            ),
        ],
        id="dwell-below-a-sample",
    ),
    pytest.param(
        "signals:\n",
        "staleAfter: 1m\n  signals:\n",
        [
            (
                "spec.staleAfter «1m» warning: spend is recorded once a minute: it would count as stale again and"
                " again = 2m at least [ladder-timing]"
            ),
        ],
        id="stale-between-recordings",
    ),
    pytest.param(
        "measure: forecast}",
        "measure: forecast, staleAfter: 30s}",
        [
            (
                "spec.signals[1].staleAfter «30s» warning: `llm-forecast` is recorded once a minute: it would count"
                " as stale again and again = 2m at least [ladder-timing]"
            ),
        ],
        id="one-signal-stale-between-recordings",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), CASES)
def test_a_mistake_is_told_at_its_place_with_the_way_out(old: str, new: str, told: list[str]) -> None:
    assert problems_after(old, new) == told


def test_a_part_does_not_confirm_the_whole() -> None:
    text = LADDER.replace("query: max(queue_length)}", "budget: everything, measure: spike}") + STORE + REST
    text += "---\napiVersion: flyball.dev/v1\nkind: Budget\nmetadata: {name: everything}\n"
    text += "spec: {amount: 1, currency: USD}\n"
    assert problems_in(text) == [
        "spec.emergency.any.queue «queue» warning: `llm-spike` and `queue` are not independent: budget `everything`"
        " counts all spend of `llm` = give both the same `group`, and add a signal from another source"
        " [ladder-emergency]"
    ]


def test_budgets_of_two_currencies_count_different_spend() -> None:
    text = LADDER.replace("query: max(queue_length)}", "budget: everything, measure: spike}") + STORE + REST
    text += "---\napiVersion: flyball.dev/v1\nkind: Budget\nmetadata: {name: everything}\n"
    text += "spec: {amount: 1, currency: EUR}\n"
    assert [one.rpartition(" ")[2] for one in problems_in(text)] == ["[ladder-reference]"]


def test_what_is_made_from_one_metric_does_not_confirm_itself() -> None:
    text = LADDER.replace("max(queue_length)", "'sum(rate(gen_ai_tokens_total[5m]))'") + STORE + REST
    assert problems_in(text) == [
        "spec.emergency.any.queue «queue» warning: `llm-spike` and `queue` are not independent: both are made from"
        " `gen_ai_tokens_total` = give both the same `group`, and add a signal from another source [ladder-emergency]"
    ]


def test_a_quota_only_rises_until_its_month_ends() -> None:
    text = LADDER.replace("query: max(queue_length)}", "quota: llm-tokens}").replace("queue: 1000", "queue: 1")
    text = text.replace("exit: {all: {llm-burn: 2}}", "exit: {all: {llm-burn: 2, queue: 0.8}}") + STORE + REST
    assert problems_in(text) == [
        "spec.tiers[1].exit.all.queue «0.8» warning: `queue` only rises until its period ends: tier 2 `throttle` stands"
        " until then = leave by burnRate, forecast or spike, or set `expires` [ladder-timing]"
    ]
    assert problems_in(text.replace("saving: 4", "saving: 4\n      expires: 1d")) == []


def test_where_slos_are_not_known_nothing_is_said_of_brakes() -> None:
    text = LADDER.replace("slo: gateway-availability", "slo: whatever") + STORE + REST
    assert problems_in(text, slos=None) == []
