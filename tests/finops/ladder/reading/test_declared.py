"""Ladders as users write them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from finops.ladder.model import (
    Comparison,
    Condition,
    Emergency,
    Explained,
    Growth,
    Limits,
    Measure,
    Mode,
    Verification,
)
from tests.finops.ladder.reading.documents import (
    DETECTORS,
    LADDER,
    REST,
    STORE,
    declared_in,
    problems_after,
    problems_in,
)

MINUTE = timedelta(minutes=1)
CASES = [
    pytest.param(
        "name: intelgraph",
        "name: IntelGraph",
        [
            (
                "metadata.name «IntelGraph» `IntelGraph` is not a name: lower-case letters, digits and `-`,"
                " beginning and ending with one of the former = for example `intelgraph` [metadata]"
            ),
        ],
        id="name",
    ),
    pytest.param(
        "{flyball.dev/owner: team-platform}",
        "{flyball.dev/owned-by: team-platform}",
        [
            (
                'metadata.annotations["flyball.dev/owned-by"] «team-platform» unknown annotation'
                " `flyball.dev/owned-by`, did you mean `flyball.dev/owner`? [metadata]"
            ),
        ],
        id="annotation",
    ),
    pytest.param(
        "spec:\n  flagStore: platform",
        "spec:\n  mode: auto\n  flagStore: platform",
        [
            "spec.mode «auto» expected 'shadow', 'recommend' or 'enforce', got the text 'auto' [bad-value]",
        ],
        id="mode",
    ),
    pytest.param(
        "flagStore: platform\n  currency",
        "flagsStore: platform\n  currency",
        [
            "spec.flagsStore «flagsStore» unknown field `flagsStore`, did you mean `flagStore`? [unknown-field]",
        ],
        id="unknown-field",
    ),
    pytest.param(
        "currency: USD\n  signals",
        "currency: usd\n  signals",
        [
            "spec.currency «usd» the text 'usd' does not have the form ^[A-Z]{3}$ [bad-value]",
        ],
        id="currency",
    ),
    pytest.param(
        "currency: USD\n  signals",
        "currency: USD\n  every: 2h\n  signals",
        [
            "spec.every «2h» must be between 1s and 1h, is 2h [ladder]",
        ],
        id="every",
    ),
    pytest.param(
        "currency: USD\n  signals",
        "currency: USD\n  staleAfter: 5 minutes\n  signals",
        [
            (
                "spec.staleAfter «5 minutes» `5 minutes` is not a duration = a number and s, m, h or d, as in 30s or"
                " 15m [ladder]"
            ),
        ],
        id="length",
    ),
    pytest.param(
        "growth: ",
        "verification: {settle: 1h}\n  growth: ",
        [
            "spec.verification.settle «1h» must be between 0s and 10m, is 1h [ladder]",
        ],
        id="settle",
    ),
    pytest.param(
        "growth: ",
        "limits: {coolDown: 0s}\n  growth: ",
        [
            "spec.limits.coolDown «0s» must be between 1s and 7d, is 0s [ladder]",
        ],
        id="cool-down",
    ),
    pytest.param(
        "name: queue,",
        "name: The queue,",
        [
            (
                "spec.signals[3].name «The queue» `The queue` is not a name = lower-case letters, digits and `-`, at"
                " most 63 [ladder]"
            ),
            (
                "spec.emergency.any.queue «queue» there is no signal `queue`, did you mean `The queue`?"
                " [ladder-reference]"
            ),
            (
                "spec.signals[3].name «The queue» warning: nothing looks at the signal `The queue` = remove it, or"
                " use it in a condition [ladder-reference]"
            ),
        ],
        id="signal-name",
    ),
    pytest.param(
        "name: queue,",
        "name: llm-burn,",
        [
            (
                "spec.signals[3].name «llm-burn» the name `llm-burn` is taken by another signal = first used at"
                " ladder.yaml:10:14 [ladder]"
            ),
            (
                "spec.emergency.any.queue «queue» there is no signal `queue` = declared: call-cost, llm-burn,"
                " llm-forecast, llm-spike [ladder-reference]"
            ),
        ],
        id="signal-name-twice",
    ),
    pytest.param(
        "name: queue, query: max(queue_length)",
        "name: queue",
        [
            (
                "spec.signals[3] «{name: queue}» no source = exactly one of budget, unitCost, quota, anomaly, query"
                " [ladder]"
            ),
        ],
        id="no-source",
    ),
    pytest.param(
        "query: max(queue_length)",
        "query: max(queue_length), quota: llm-tokens",
        [
            (
                "spec.signals[3] «{name: queue, query: max(queue_length), quota: llm-tokens}» quota and query"
                " exclude each other = exactly one of budget, unitCost, quota, anomaly, query [ladder]"
            ),
        ],
        id="two-sources",
    ),
    pytest.param(
        "query: max(queue_length)",
        "budget: llm, measure: forecast, anomaly: traffic",
        [
            (
                "spec.signals[3] «{name: queue, budget: llm, measure: forecast, anomaly: traffic}» budget and anomaly"
                " exclude each other = of a budget only `measure: spike` takes an anomaly [ladder]"
            ),
        ],
        id="anomaly-of-a-forecast",
    ),
    pytest.param(
        "query: max(queue_length)",
        "anomaly: traffic, measure: spike",
        [
            (
                "spec.signals[3].measure «measure» has no meaning here: only budgets have several measures = remove"
                " it [ladder]"
            ),
        ],
        id="spike-of-no-budget",
    ),
    pytest.param(
        "budget: llm, measure: burnRate",
        "budget: llm",
        [
            (
                "spec.signals[0].measure «{name: llm-burn, budget: llm}» what of the budget is not said = write"
                " measure: burnRate, forecast, spent or spike [ladder]"
            ),
        ],
        id="no-measure",
    ),
    pytest.param(
        "measure: burnRate",
        "measure: burnrate",
        [
            (
                "spec.signals[0].measure «burnrate» expected 'burnRate', 'forecast', 'spent' or 'spike', got the"
                " text 'burnrate', did you mean `burnRate`? [bad-value]"
            ),
        ],
        id="unknown-measure",
    ),
    pytest.param(
        "query: max(queue_length)",
        "query: max(queue_length), measure: spike",
        [
            (
                "spec.signals[3].measure «measure» has no meaning here: only budgets have several measures = remove"
                " it [ladder]"
            ),
        ],
        id="measure-of-no-budget",
    ),
    pytest.param(
        "measure: forecast",
        "measure: forecast, window: 1h",
        [
            (
                "spec.signals[1].window «window» has no meaning here: only burn rates and unit costs are of a window"
                " = remove it [ladder]"
            ),
        ],
        id="window-of-a-forecast",
    ),
    pytest.param(
        "measure: burnRate",
        "measure: burnRate, floorPerHour: 10",
        [
            (
                "spec.signals[0].floorPerHour «floorPerHour» has no meaning here: only spikes have a floor = remove"
                " it [ladder]"
            ),
        ],
        id="floor-of-a-burn-rate",
    ),
    pytest.param(
        "unitCost: graphql-calls",
        "unitCost: graphql-calls, perHour: vector(1)",
        [
            (
                "spec.signals[4].perHour «perHour» has no meaning here: how spend moves this signal is known ="
                " remove it [ladder]"
            ),
        ],
        id="per-hour-of-a-unit-cost",
    ),
    pytest.param(
        "measure: burnRate",
        "measure: burnRate, window: 1m",
        [
            "spec.signals[0].window «1m» must be between 5m and 90d, is 1m [ladder]",
        ],
        id="window",
    ),
    pytest.param(
        "query: max(queue_length)",
        "query: max(queue_length",
        [
            "spec.signals[3].query «(» the bracket `(` is never closed = expected `)` [promql-syntax]",
        ],
        id="query",
    ),
    pytest.param(
        "query: max(queue_length)",
        "query: max(queue_length), perHour: rate(x)",
        [
            (
                "spec.signals[3].perHour «x» rate() takes a range vector, not an instant vector = add a range such"
                " as [5m] [promql-syntax]"
            ),
        ],
        id="per-hour-query",
    ),
    pytest.param(
        "name: throttle",
        "name: Throttle",
        [
            (
                "spec.tiers[1].name «Throttle» `Throttle` is not a name = lower-case letters, digits and `-`, at"
                " most 63 [ladder]"
            ),
        ],
        id="tier-name",
    ),
    pytest.param(
        "name: throttle",
        "name: observe",
        [
            (
                "spec.tiers[1].name «observe» the name `observe` is taken by another tier = first used at"
                " ladder.yaml:20:13 [ladder]"
            ),
        ],
        id="tier-name-twice",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 4}}",
        "enter: {}",
        [
            "spec.tiers[1].enter «{}» no condition = exactly one of any, all: signals with their thresholds [ladder]",
        ],
        id="no-condition",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 4}}",
        "enter: {all: {}}",
        [
            "spec.tiers[1].enter.all «{}» must not be empty [bad-value]",
        ],
        id="empty-condition",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 4}}",
        "enter: {any: {llm-burn: 4}, all: {llm-burn: 4}}",
        [
            (
                "spec.tiers[1].enter «{any: {llm-burn: 4}, all: {llm-burn: 4}}» any and all exclude each other ="
                " exactly one of any, all: signals with their thresholds [ladder]"
            ),
        ],
        id="two-conditions",
    ),
    pytest.param(
        "      exit: {all: {llm-burn: 2}}\n",
        "",
        [
            "spec.tiers[1].exit «name» required, but missing [missing-field]",
        ],
        id="no-exit",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 4}}",
        "enter: {all: {llm-burn: four}}",
        [
            "spec.tiers[1].enter.all.llm-burn «four» expected a number, got the text 'four' [bad-value]",
        ],
        id="threshold",
    ),
    pytest.param(
        "exit: {all: {llm-burn: 2}}",
        "exit: {all: {llm-burn: 0}}",
        [
            "spec.tiers[1].exit.all.llm-burn «0» must be more than 0, is 0 [bad-value]",
        ],
        id="threshold-of-nothing",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 4}}",
        "enter: {all: {llm-burn: 4}, samples: 0}",
        [
            "spec.tiers[1].enter.samples «0» must be at least 1, is 0 [bad-value]",
        ],
        id="samples",
    ),
    pytest.param(
        "saving: 4",
        "saving: 0",
        [
            "spec.tiers[1].saving «0» must be more than 0, is 0 [bad-value]",
        ],
        id="saving-nothing",
    ),
    pytest.param(
        "saving: 4",
        "saving: -1",
        [
            "spec.tiers[1].saving «-1» must be more than 0, is -1 [bad-value]",
        ],
        id="saving-less-than-nothing",
    ),
    pytest.param(
        "saving: 4",
        "saving: 4\n      approval: yes",
        [
            "spec.tiers[1].approval «yes» expected 'none' or 'required', got the text 'yes' [bad-value]",
        ],
        id="approval",
    ),
    pytest.param(
        "saving: 4",
        "saving: 4\n      expires: 2 days",
        [
            (
                "spec.tiers[1].expires «2 days» `2 days` is not a duration = a number and s, m, h or d, as in 30s or"
                " 15m [ladder]"
            ),
        ],
        id="expires",
    ),
    pytest.param(
        "    - name: throttle\n      flags: {context-limit: 4000}\n",
        "    - name: throttle\n",
        [
            "spec.tiers[1].flags «name» required, but missing [missing-field]",
        ],
        id="no-flags",
    ),
    pytest.param(
        "fromTier: 2",
        "fromTier: 2, minimum: 1",
        [
            "spec.brakes[0].minimum «1» must be less than 1, is 1 [bad-value]",
        ],
        id="brake-minimum",
    ),
    pytest.param(
        "fromTier: 2",
        "fromTier: 0",
        [
            "spec.brakes[0].fromTier «0» must be at least 1, is 0 [bad-value]",
        ],
        id="brake-tier",
    ),
    pytest.param(
        "name: intelgraph\n",
        "name: intelgraph\n  labels: {tier: gold}\n",
        [
            "metadata.labels.tier «tier» warning: left out: Flyball sets this label itself [metadata]",
        ],
        id="reserved-label",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), CASES)
def test_a_mistake_is_told_at_its_place_with_the_way_out(old: str, new: str, told: list[str]) -> None:
    assert problems_after(old, new) == told


def test_a_ladder_says_what_was_written_and_what_was_left_out() -> None:
    made = declared_in(LADDER + STORE + REST)
    assert made.problems == ()
    (ladder,) = made.values
    assert (ladder.name, ladder.display_name, ladder.owner) == ("intelgraph", "intelgraph", "team-platform")
    assert (ladder.mode, ladder.store, ladder.currency, ladder.every) == (Mode.SHADOW, "platform", "USD", MINUTE)
    assert ladder.limits == Limits(12, 30 * MINUTE, 15 * MINUTE)
    assert ladder.verification == Verification(timedelta(seconds=30), timedelta(seconds=10))
    assert ladder.growth == Growth("call-cost", Decimal("1.05"))
    assert ladder.emergency == Emergency(
        3, (Comparison("llm-spike", Decimal(10)), Comparison("queue", Decimal(1000))), 3
    )
    (brake,) = ladder.brakes
    assert (brake.slo, brake.minimum, brake.from_tier, brake.releases) == ("gateway-availability", Decimal(0), 2, False)
    assert ladder.top == 3
    second = ladder.tiers[1]
    assert (second.number, second.name, second.flags) == (2, "throttle", (("context-limit", 4000),))
    assert second.enter == Condition((Comparison("llm-burn", Decimal(4)),), needs_all=True)
    assert ladder.tiers[0].enter == Condition(
        (Comparison("llm-burn", Decimal(2)), Comparison("llm-forecast", Decimal("1.1"))), needs_all=False
    )
    assert (second.enter_samples, second.exit_samples, second.dwell) == (3, 10, 15 * MINUTE)
    assert (second.needs_approval, second.expires_after, second.saving_per_hour) == (False, None, Decimal(4))
    assert second.explains == (Explained(("alertname=LatencyTooHigh", "service=assistant")),)
    assert (second.source.line, second.source.column) == (26, 13)


def test_everything_may_be_written() -> None:
    text = LADDER.replace("flagStore: platform", "flagStore: platform\n  mode: enforce\n  every: 30s\n  staleAfter: 2m")
    text = text.replace("growth:", "limits: {changesPerDay: 40, coolDown: 1h, retryAfter: 20s}\n  growth:")
    text = text.replace("growth:", "verification: {visibleWithin: 5s, settle: 0s}\n  growth:")
    text = text.replace(
        "saving: 4",
        "saving: 4.50\n      dwell: 20m\n      approval: required\n      expires: 6h\n"
        "      publicText: Slower answers.",
    ).replace("{all: {llm-burn: 4}}", "{all: {llm-burn: 4}, samples: 5}")
    text = text.replace("alertname: LatencyTooHigh", "alertname: ~Latency.*")
    text = text.replace("fromTier: 2}", "fromTier: 2, minimum: 0.1, release: true}")
    (ladder,) = declared_in(text + STORE + REST).values
    assert (ladder.mode, ladder.every) == (Mode.ENFORCE, MINUTE / 2)
    assert ladder.limits == Limits(40, 60 * MINUTE, timedelta(seconds=20))
    assert ladder.verification == Verification(timedelta(seconds=5), timedelta(0))
    tier, brake = ladder.tiers[1], ladder.brakes[0]
    assert (tier.dwell, tier.needs_approval, tier.expires_after) == (20 * MINUTE, True, timedelta(hours=6))
    assert (tier.saving_per_hour, tier.enter_samples, tier.public_text) == (Decimal("4.50"), 5, "Slower answers.")
    assert tier.explains == (Explained(("alertname=~Latency.*", "service=assistant")),)
    assert (brake.minimum, brake.releases) == (Decimal("0.1"), True)
    assert {signal.stale_after for signal in ladder.signals} == {2 * MINUTE}


def test_signals_say_what_they_measure_and_which_of_them_are_independent() -> None:
    text = LADDER.replace(
        "- {name: queue, query: max(queue_length)}",
        "- {name: queue, query: 'max(queue_length)', perHour: '2', staleAfter: 90s}\n"
        "    - {name: traffic, anomaly: traffic, perHour: vector(0)}\n"
        "    - {name: unusual, budget: llm, measure: spike, anomaly: spend}\n"
        "    - {name: wait, query: 'max(  queue_length)'}\n"
        "    - {name: own, query: x, group: people}\n"
        "    - {name: tokens, quota: llm-tokens}\n"
        "    - {name: spent, budget: llm, measure: spent}\n"
        "    - {name: sudden, budget: llm, measure: spike, floorPerHour: 0}\n"
        "    - {name: slow, budget: llm, measure: burnRate, window: 6h}",
    )
    (ladder,) = declared_in(text + STORE + REST + DETECTORS).values
    said = {one.name: (one.measure, one.subject, one.window, one.floor_per_hour, one.group) for one in ladder.signals}
    hour = timedelta(hours=1)
    assert said == {
        "llm-burn": (Measure.BURN_RATE, "llm", hour, None, "budget/llm"),
        "llm-forecast": (Measure.FORECAST, "llm", None, None, "budget/llm"),
        "llm-spike": (Measure.SPIKE, "llm", None, 7, "budget/llm"),  # the floor is the budget's
        "queue": (Measure.QUERY, "", None, None, "query/queue"),
        "wait": (Measure.QUERY, "", None, None, "query/queue"),  # the same query
        "own": (Measure.QUERY, "", None, None, "people"),
        "tokens": (Measure.QUOTA, "llm-tokens", None, None, "quota/llm-tokens"),
        "spent": (Measure.SPENT, "llm", None, None, "budget/llm"),
        "sudden": (Measure.SPIKE, "llm", None, 0, "budget/llm"),
        "slow": (Measure.BURN_RATE, "llm", 6 * hour, None, "budget/llm"),
        "traffic": (Measure.ANOMALY, "traffic", None, None, "anomaly/traffic"),
        "unusual": (Measure.SPIKE, "llm", None, 7, "budget/llm"),
        "call-cost": (Measure.UNIT_COST, "graphql-calls", hour, None, "unitCost/graphql-calls"),
    }
    waits = {one.name: one.detectors for one in ladder.signals if one.detectors}
    assert waits == {"traffic": ("traffic",), "unusual": ("spend",)}
    queue = ladder.signal("queue")
    assert queue is not None
    assert (queue.query, queue.per_hour_query, queue.stale_after) == ("max(queue_length)", "2", MINUTE * 3 / 2)


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    text = LADDER.replace("flagStore: platform", "flagStore: platform\n  every: fast").replace(
        "llm-burn: 8}", "llmburn: 8}"
    )
    text = text.replace("exit: {all: {llm-burn: 2}}", "exit: {all: {llm-burn: 5}}").replace("context-limit", "context")
    text = text.replace("journeys: [core-flow]\n      explains", "journeys: []\n      explains")
    made = declared_in(text + STORE + REST)
    assert made.values == ()
    assert sorted(problem.field for problem in made.problems) == [
        "spec.every",
        "spec.tiers[1].exit.all.llm-burn",
        "spec.tiers[1].flags.context",
        "spec.tiers[1].journeys",
        "spec.tiers[2].enter.all.llmburn",
    ]


def test_what_may_stand_in_a_file_that_was_not_read_is_no_mistake() -> None:
    made = declared_in(LADDER, slos=frozenset(), may_be_declared=lambda _: True)
    assert made.problems == ()
    assert len(made.values) == 1


def test_of_two_ladders_of_one_name_the_first_is_taken() -> None:
    made = declared_in(LADDER + "---\n" + LADDER.replace("saving: 4", "saving: 5") + STORE + REST)
    (ladder,) = made.values
    assert ladder.tiers[1].saving_per_hour == 4
    assert [problem.rule for problem in made.problems] == ["duplicate-name"]


@pytest.mark.parametrize("count", [1, 6, 12, 13])
def test_a_ladder_has_as_many_tiers_as_it_needs(count: int) -> None:
    flags = "".join(f"    - {{name: f{number}}}\n" for number in range(count))
    tiers = "".join(
        f"    - {{name: t{number}, flags: {{f{number}: true}}, saving: 1, enter: {{all: {{llm-burn: {number + 2}}}}},\n"
        f"       exit: {{all: {{llm-burn: {number + 1}.5}}}}, journeys: [core-flow]}}\n"
        for number in range(count)
    )
    head = LADDER[: LADDER.index("    - {name: llm-forecast")]
    text = f"{head}  limits: {{changesPerDay: 30}}\n  tiers:\n{tiers}{STORE}{flags}{REST}"
    made = declared_in(text)
    if count <= 12:
        assert made.problems == ()
        assert [tier.number for tier in made.values[0].tiers] == list(range(1, count + 1))
    else:
        assert problems_in(text) == [
            f"spec.tiers «{tiers.split(chr(10))[0].strip()}» takes 12 entries at most, has 13 [bad-value]"
        ]
