"""Enter and exit of a tier, and of its neighbours."""

import pytest

from tests.finops.ladder.reading.documents import DETECTORS, LADDER, REST, STORE, problems_after, problems_in

CASES = [
    pytest.param(
        "exit: {all: {llm-burn: 2}}",
        "exit: {all: {llm-burn: 4}}",
        [
            (
                "spec.tiers[1].exit.all.llm-burn «4» left below 4, but entered at 4 already: it would flap = write"
                " less than 4 [ladder-hysteresis]"
            ),
        ],
        id="exit-is-enter",
    ),
    pytest.param(
        "exit: {all: {llm-burn: 1.2, llm-forecast: 1}}",
        "exit: {all: {llm-burn: 2.5, llm-forecast: 1}}",
        [
            (
                "spec.tiers[0].exit.all.llm-burn «2.5» left below 2.5, but entered at 2 already: it would flap ="
                " write less than 2 [ladder-hysteresis]"
            ),
        ],
        id="exit-above-enter",
    ),
    pytest.param(
        "exit: {all: {llm-burn: 1.2, llm-forecast: 1}}",
        "exit: {any: {llm-burn: 1.2, llm-forecast: 1}}",
        [
            (
                "spec.tiers[0].exit «{any: {llm-burn: 1.2, llm-forecast: 1}}» warning: may hold while `enter` does:"
                " `llm-burn` high and `llm-forecast` low = then it is held, and people are told; leave by `all` of"
                " the signals by which it may be entered [ladder-contradiction]"
            ),
        ],
        id="exit-by-any",
    ),
    pytest.param(
        "exit: {all: {llm-burn: 1.2, llm-forecast: 1}}",
        "exit: {all: {llm-burn: 1.2}}",
        [
            (
                "spec.tiers[0].exit «{all: {llm-burn: 1.2}}» warning: may hold while `enter` does: `llm-forecast`"
                " high and `llm-burn` low = then it is held, and people are told; leave by `all` of the signals by"
                " which it may be entered [ladder-contradiction]"
            ),
        ],
        id="exit-lacks-a-signal",
    ),
    pytest.param(
        "exit: {all: {llm-burn: 2}}",
        "exit: {all: {llm-forecast: 1}}",
        [
            (
                "spec.tiers[1].exit «{all: {llm-forecast: 1}}» warning: looks at none of the signals by which tier 2"
                " `throttle` is entered = while those are high and these are low it is held, and people are told"
                " [ladder-contradiction]"
            ),
        ],
        id="exit-of-other-signals",
    ),
    pytest.param(
        (
            "exit: {all: {llm-burn: 1.2, llm-forecast: 1}}\n      journeys: [core-flow]\n    - name: throttle\n     "
            " flags: {context-limit: 4000}\n      saving: 4\n      enter: {all: {llm-burn: 4}}\n      exit: {all:"
            " {llm-burn: 2}}"
        ),
        (
            "exit: {all: {llm-burn: 1.9, llm-forecast: 1}}\n      journeys: [core-flow]\n    - name: throttle\n     "
            " flags: {context-limit: 4000}\n      saving: 4\n      enter: {all: {llm-burn: 1.8}, samples: 9}\n     "
            " exit: {all: {llm-burn: 1.1}}"
        ),
        [
            (
                "spec.tiers[0].exit.all.llm-burn «1.9» warning: from 1.8 to 1.9 tier 1 `observe` is to be left and"
                " tier 2 `throttle` entered = then it is held, and people are told; write 1.8 or less"
                " [ladder-contradiction]"
            ),
        ],
        id="exit-above-the-next-enter",
    ),
    pytest.param(
        (
            "enter: {all: {llm-burn: 4}}\n      exit: {all: {llm-burn: 2}}\n      journeys: [core-flow]\n     "
            " explains: [{alertname: LatencyTooHigh, service: assistant}]\n    - name: shed\n      flags:"
            " {enrichers-paused: true}\n      saving: 9\n      enter: {all: {llm-burn: 8}}\n      exit: {all:"
            " {llm-burn: 4}}"
        ),
        (
            "enter: {all: {llm-forecast: 1.3}}\n      exit: {all: {llm-forecast: 1.2}}\n      journeys:"
            " [core-flow]\n    - name: shed\n      flags: {enrichers-paused: true}\n      saving: 1\n      enter:"
            " {all: {llm-burn: 1.1}, samples: 9}\n      exit: {all: {llm-burn: 1.01}}"
        ),
        [
            (
                "spec.tiers[0].exit.all.llm-burn «1.2» warning: from 1.1 to 1.2 tier 1 `observe` is to be left and"
                " tier 3 `shed` entered = then it is held, and people are told; write 1.1 or less"
                " [ladder-contradiction]"
            ),
        ],
        id="exit-above-the-enter-after-the-next",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 8}}\n      exit: {all: {llm-burn: 4}}",
        "enter: {all: {llm-burn: 3.5}}\n      exit: {all: {llm-burn: 2}}",
        [
            (
                "spec.tiers[2].enter.all.llm-burn «3.5» warning: 3.5 is less than the 4 of tier 2 `throttle`, and"
                " leads through that tier, too = let it rise from tier to tier: more than 4 [ladder-order]"
            ),
        ],
        id="asks-for-less-than-below",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 8}}\n      exit: {all: {llm-burn: 4}}",
        "enter: {all: {llm-burn: 3.5}, samples: 30}\n      exit: {all: {llm-burn: 2}}",
        [],
        id="asks-for-less-but-longer",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 8}}\n      exit: {all: {llm-burn: 4}}",
        "enter: {all: {llm-burn: 4}}\n      exit: {all: {llm-burn: 2}}",
        [],
        id="asks-for-the-same-again",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 8}}\n      exit: {all: {llm-burn: 4}}",
        "enter: {all: {llm-burn: 3.5, llm-forecast: 2}}\n      exit: {all: {llm-burn: 2}}",
        [],
        id="asks-for-less-and-for-more",
    ),
    pytest.param(
        "enter: {any: {llm-burn: 2, llm-forecast: 1.1}}\n      exit: {all: {llm-burn: 1.2, llm-forecast: 1}}",
        "enter: {any: {llm-burn: 1, llm-forecast: 0.9}}\n      exit: {all: {llm-burn: 0.8, llm-forecast: 0.8}}",
        [
            (
                "spec.tiers[0].enter.any.llm-burn «1» warning: holds while nothing is wrong: 1 is the spend that the"
                " budget's pace expects = write more than 1 [ladder-order]"
            ),
        ],
        id="holds-while-all-is-well",
    ),
    pytest.param(
        "enter: {all: {llm-burn: 4}}\n      exit: {all: {llm-burn: 2}}",
        "enter: {all: {queue: 500}}\n      exit: {all: {queue: 100}}",
        [
            (
                "spec.tiers[1].exit.all.queue «100» warning: what `queue` would be without the tier is not known: if"
                " the tier lowers it, it may flap = give the signal `perHour`: by how much it rises with each unit"
                " of money an hour; vector(0) if not at all [ladder-hysteresis]"
            ),
        ],
        id="does-not-know-itself-without-the-tier",
    ),
    pytest.param(
        "query: max(queue_length)}",
        "anomaly: traffic, perHour: vector(0)}",
        [],
        id="an-anomaly-that-no-tier-moves",
    ),
    pytest.param(
        "query: max(queue_length)}",
        "anomaly: traffic}\n    - {name: idle, anomaly: traffic, perHour: vector(0)}",
        [
            (
                "spec.signals[4].name «idle» warning: nothing looks at the signal `idle` = remove it, or use it in a"
                " condition [ladder-reference]"
            ),
            (
                "spec.signals[4] «{name: idle, anomaly: traffic, perHour: vector(0)}» warning: says the same as the"
                " signal `queue` = keep one of the two [ladder-reference]"
            ),
        ],
        id="an-anomaly-twice",
    ),
]


def test_an_anomaly_does_not_know_itself_without_the_tier_either() -> None:
    text = LADDER.replace("query: max(queue_length)", "anomaly: traffic").replace(
        "enter: {all: {llm-burn: 4}}\n      exit: {all: {llm-burn: 2}}",
        "enter: {all: {queue: 2}}\n      exit: {all: {queue: 0.5}}",
    )
    (told,) = problems_in(text + STORE + REST + DETECTORS)
    assert told.startswith("spec.tiers[1].exit.all.queue «0.5» warning: what `queue` would be without the tier is not")


@pytest.mark.parametrize(("old", "new", "told"), CASES)
def test_a_mistake_is_told_at_its_place_with_the_way_out(old: str, new: str, told: list[str]) -> None:
    assert problems_after(old, new) == told
