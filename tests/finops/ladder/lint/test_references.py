"""Names that a ladder refers to."""

import pytest

from tests.finops.ladder.reading.documents import problems_after

CASES = [
    pytest.param(
        "budget: llm, measure: burnRate",
        "budget: lllm, measure: burnRate",
        [
            "spec.signals[0].budget «lllm» there is no Budget `lllm`, did you mean `llm`? [ladder-reference]",
        ],
        id="budget",
    ),
    pytest.param(
        "unitCost: graphql-calls",
        "unitCost: graphql-cals",
        [
            (
                "spec.signals[4].unitCost «graphql-cals» there is no UnitCost `graphql-cals`, did you mean"
                " `graphql-calls`? [ladder-reference]"
            ),
        ],
        id="unit-cost",
    ),
    pytest.param(
        "query: max(queue_length)",
        "anomaly: trafic",
        [
            (
                "spec.signals[3].anomaly «trafic» there is no AnomalyDetector `trafic`, did you mean `traffic`?"
                " [ladder-reference]"
            ),
        ],
        id="anomaly",
    ),
    pytest.param(
        "measure: spike}",
        "measure: spike, anomaly: cost}",
        [
            (
                "spec.signals[2].anomaly «cost» there is no AnomalyDetector `cost` = declared: spend, traffic"
                " [ladder-reference]"
            ),
        ],
        id="anomaly-of-a-spike",
    ),
    pytest.param(
        "target: 2",
        "windows: [1h]",
        [
            (
                "spec.signals[4].unitCost «graphql-calls» unit cost `graphql-calls` has no target, and the signal is"
                " what it costs ÷ its target = give the UnitCost a `target` [ladder-reference]"
            ),
        ],
        id="unit-cost-without-target",
    ),
    pytest.param(
        "query: max(queue_length)",
        "quota: tokens-of-tenants",
        [
            (
                "spec.signals[3].quota «tokens-of-tenants» there is no UsageQuota `tokens-of-tenants` = declared:"
                " llm-tokens [ladder-reference]"
            ),
            (
                "spec.emergency.any.queue «1000» `queue` never gets there: 1 is the whole quota = write 10 if 1000 %"
                " is meant [ladder-unreachable]"
            ),
        ],
        id="quota",
    ),
    pytest.param(
        "measure: burnRate}",
        "measure: burnRate, window: 3h}",
        [
            (
                "spec.signals[0].window «3h» the burn rate of budget `llm` is not recorded over 3h = recorded: 5m,"
                " 30m, 1h, 2h, 6h, 1d, 3d [ladder-reference]"
            ),
        ],
        id="window-of-a-burn-rate",
    ),
    pytest.param(
        "unitCost: graphql-calls}",
        "unitCost: graphql-calls, window: 6h}",
        [
            (
                "spec.signals[4].window «6h» the unit cost `graphql-calls` is not recorded over 6h = recorded: 1h,"
                " 1d, 30d; or add 6h to its `windows` [ladder-reference]"
            ),
        ],
        id="window-of-a-unit-cost",
    ),
    pytest.param(
        "measure: burnRate}",
        "measure: burnRate, window: 6h}",
        [],
        id="recorded-window",
    ),
    pytest.param(
        "flagStore: platform",
        "flagStore: plattform",
        [
            (
                "spec.flagStore «plattform» there is no FlagStore `plattform`, did you mean `platform`?"
                " [ladder-reference]"
            ),
        ],
        id="flag-store",
    ),
    pytest.param(
        "flagd: {file: flags.json}",
        'ofrep: {url: "http://flags:8016"}',
        [
            (
                "spec.flagStore «platform» FlagStore `platform` is only read: by OFREP no flag can be changed = add"
                " to it the store behind that server: flagd, unleash, launchDarkly or webhook [ladder-reference]"
            ),
        ],
        id="store-that-is-only-read",
    ),
    pytest.param(
        "currency: USD\n  signals",
        "currency: EUR\n  signals",
        [
            (
                "spec.signals[0].budget «llm» Budget `llm` is in USD, and the savings of this ladder are in EUR = a"
                " ladder has one currency: its exit is judged by spend + savings [ladder-reference]"
            ),
            (
                "spec.signals[1].budget «llm» Budget `llm` is in USD, and the savings of this ladder are in EUR = a"
                " ladder has one currency: its exit is judged by spend + savings [ladder-reference]"
            ),
            (
                "spec.signals[2].budget «llm» Budget `llm` is in USD, and the savings of this ladder are in EUR = a"
                " ladder has one currency: its exit is judged by spend + savings [ladder-reference]"
            ),
            (
                "spec.signals[4].unitCost «graphql-calls» UnitCost `graphql-calls` is in USD, and the savings of"
                " this ladder are in EUR = a ladder has one currency: its exit is judged by spend + savings"
                " [ladder-reference]"
            ),
        ],
        id="currency",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 4}}",
        "enter: {all: {lm-burn: 4}}",
        [
            (
                "spec.tiers[1].enter.all.lm-burn «lm-burn» there is no signal `lm-burn`, did you mean `llm-burn`?"
                " [ladder-reference]"
            ),
        ],
        id="signal-of-a-tier",
    ),
    pytest.param(
        "exit: {all: {llm-burn: 2}}",
        "exit: {all: {llm-burn: 2, spike: 3}}",
        [
            (
                "spec.tiers[1].exit.all.spike «spike» there is no signal `spike`, did you mean `llm-spike`?"
                " [ladder-reference]"
            ),
        ],
        id="signal-of-an-exit",
    ),
    pytest.param(
        "llm-spike: 10, queue: 1000",
        "llm-spike: 10, queues: 1000",
        [
            "spec.emergency.any.queues «queues» there is no signal `queues`, did you mean `queue`? [ladder-reference]",
            (
                "spec.signals[3].name «queue» warning: nothing looks at the signal `queue` = remove it, or use it in"
                " a condition [ladder-reference]"
            ),
        ],
        id="signal-of-the-jump",
    ),
    pytest.param(
        "signal: call-cost",
        "signal: call-costs",
        [
            (
                "spec.growth.signal «call-costs» there is no signal `call-costs`, did you mean `call-cost`?"
                " [ladder-reference]"
            ),
            (
                "spec.signals[4].name «call-cost» warning: nothing looks at the signal `call-cost` = remove it, or"
                " use it in a condition [ladder-reference]"
            ),
        ],
        id="signal-of-growth",
    ),
    pytest.param(
        "query: max(queue_length)",
        "budget: llm, measure: burnRate, window: 1h",
        [
            (
                "spec.signals[3] «{name: queue, budget: llm, measure: burnRate, window: 1h}» warning: says the same"
                " as the signal `llm-burn` = keep one of the two [ladder-reference]"
            ),
            (
                "spec.emergency.any «{llm-spike: 10, queue: 1000}» its signals do not confirm each other: all are of"
                " the group `budget/llm` = two must hold that come from different sources: add a signal of another"
                " budget, unit cost or query [ladder-emergency]"
            ),
        ],
        id="signal-twice-over",
    ),
    pytest.param(
        "journeys: [core-flow]",
        "journeys: [core-flo]",
        [
            (
                "spec.tiers[0].journeys[0] «core-flo» there is no Journey `core-flo`, did you mean `core-flow`?"
                " [ladder-journey]"
            ),
        ],
        id="journey",
    ),
    pytest.param(
        "slo: gateway-availability",
        "slo: gateway-availabilty",
        [
            (
                "spec.brakes[0].slo «gateway-availabilty» there is no SLO `gateway-availabilty`, did you mean"
                " `gateway-availability`? [ladder-brake]"
            ),
        ],
        id="slo",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), CASES)
def test_a_mistake_is_told_at_its_place_with_the_way_out(old: str, new: str, told: list[str]) -> None:
    assert problems_after(old, new) == told
