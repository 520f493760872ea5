"""Tiers that can never be entered, or not in time."""

import pytest

from tests.finops.ladder.reading.documents import problems_after

CASES = [
    pytest.param(
        "enter: {all: {llm-burn: 4}}",
        "enter: {all: {llm-burn: 4000}}",
        [
            (
                "spec.tiers[1].enter.all.llm-burn «4000» `llm-burn` never gets there: 1 is the spend that the"
                " budget's pace expects = write 40 if 4000 % is meant [ladder-unreachable]"
            ),
        ],
        id="rate-out-of-reach",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 4}}",
        "enter: {all: {llm-burn: 4, llm-forecast: 90}}",
        [
            (
                "spec.tiers[1].enter.all.llm-forecast «90» `llm-forecast` never gets there: 1 is the whole amount ="
                " write 0.9 if 90 % is meant [ladder-unreachable]"
            ),
        ],
        id="share-in-percent",
    ),
    pytest.param(
        "enter: {any: {llm-burn: 2, llm-forecast: 1.1}}",
        "enter: {any: {llm-burn: 2, llm-forecast: 110}}",
        [
            (
                "spec.tiers[0].enter.any.llm-forecast «110» warning: `llm-forecast` never gets there: 1 is the whole"
                " amount = write 1.1 if 110 % is meant [ladder-unreachable]"
            ),
        ],
        id="one-of-several",
    ),
    pytest.param(
        "enter: {any: {llm-burn: 2, llm-forecast: 1.1}}\n      exit: {all: {llm-burn: 1.2, llm-forecast: 1}}",
        "enter: {any: {llm-burn: 2000, llm-forecast: 110}}\n      exit: {all: {llm-burn: 1.2, llm-forecast: 1}}",
        [
            (
                "spec.tiers[0].enter.any.llm-burn «2000» `llm-burn` never gets there: 1 is the spend that the"
                " budget's pace expects = write 20 if 2000 % is meant [ladder-unreachable]"
            ),
            (
                "spec.tiers[0].enter.any.llm-forecast «110» `llm-forecast` never gets there: 1 is the whole amount ="
                " write 1.1 if 110 % is meant [ladder-unreachable]"
            ),
        ],
        id="all-of-several",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 8}}",
        "enter: {all: {llm-burn: 8000}}",
        [
            (
                "spec.tiers[2].enter.all.llm-burn «8000» warning: `llm-burn` never gets there: 1 is the spend that"
                " the budget's pace expects; only the emergency jump leads here = write 80 if 8000 % is meant"
                " [ladder-unreachable]"
            ),
        ],
        id="only-by-the-jump",
    ),
    pytest.param(
        (
            "  emergency: {tier: 3, any: {llm-spike: 10, queue: 1000}}\n  tiers:\n    - name: observe\n      flags:"
            " {adaptive-sampling: true}\n      saving: 1\n      enter: {any: {llm-burn: 2,"
        ),
        (
            "  tiers:\n    - name: observe\n      flags: {adaptive-sampling: true}\n      saving: 1\n      enter:"
            " {all: {llm-burn: 2000,"
        ),
        [
            (
                "spec.signals[2].name «llm-spike» warning: nothing looks at the signal `llm-spike` = remove it, or"
                " use it in a condition [ladder-reference]"
            ),
            (
                "spec.signals[3].name «queue» warning: nothing looks at the signal `queue` = remove it, or use it in"
                " a condition [ladder-reference]"
            ),
            (
                "spec.tiers[0].enter.all.llm-burn «2000» `llm-burn` never gets there: 1 is the spend that the"
                " budget's pace expects = write 20 if 2000 % is meant [ladder-unreachable]"
            ),
        ],
        id="without-a-jump",
    ),
    pytest.param(
        "query: max(queue_length)}",
        "query: 'clamp_max(max(queue_length), 100)'}",
        [
            "spec.emergency.any.queue «1000» the query of `queue` never gives more than 100 [ladder-unreachable]",
        ],
        id="query-is-bounded",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 4}}",
        "enter: {all: {llm-burn: 4}, samples: 2000}",
        [
            (
                "spec.tiers[1].enter.samples «2000» 2,000 samples in a row, one every 1m, take 1d 9h = a day is the"
                " most: 1,440 samples [ladder-unreachable]"
            ),
        ],
        id="too-many-samples",
    ),
    pytest.param(
        "exit: {all: {llm-burn: 2}}",
        "exit: {all: {llm-burn: 2}, samples: 3000}",
        [
            (
                "spec.tiers[1].exit.samples «3000» warning: it is left 2d 2h after the signals are calm at the"
                " earliest = 3,000 samples in a row, one every 1m [ladder-unreachable]"
            ),
        ],
        id="too-many-samples-to-leave",
    ),
    pytest.param(
        "saving: 4",
        "saving: 4\n      expires: 10m",
        [
            (
                "spec.tiers[1].expires «10m» expires after 10m, but is kept for 15m at least = let `expires` be"
                " longer than `dwell`: no tier above it can be entered before [ladder-unreachable]"
            ),
        ],
        id="expires-before-it-may-be-left",
    ),
    pytest.param(
        "growth: ",
        "limits: {changesPerDay: 2}\n  growth: ",
        [
            (
                "spec.limits.changesPerDay «2» 3 tiers take 3 changes, and only 2 are allowed in 24 h = so tier 3"
                " `shed` is not reached in a day: allow 6 [ladder-unreachable]"
            ),
        ],
        id="too-few-changes",
    ),
    pytest.param(
        "growth: ",
        "limits: {changesPerDay: 3}\n  growth: ",
        [
            (
                "spec.limits.changesPerDay «3» warning: up 3 tiers and back takes 6 changes, and 3 are allowed in 24"
                " h = the rest of the way back waits for the next day [ladder-unreachable]"
            ),
        ],
        id="as-many-changes-as-tiers",
    ),
    pytest.param(
        "growth: ",
        "limits: {changesPerDay: 5}\n  growth: ",
        [
            (
                "spec.limits.changesPerDay «5» warning: up 3 tiers and back takes 6 changes, and 5 are allowed in 24"
                " h = the rest of the way back waits for the next day [ladder-unreachable]"
            ),
        ],
        id="too-few-changes-for-the-way-back",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), CASES)
def test_a_mistake_is_told_at_its_place_with_the_way_out(old: str, new: str, told: list[str]) -> None:
    assert problems_after(old, new) == told
