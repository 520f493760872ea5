"""Flags of tiers."""

import pytest

from tests.finops.ladder.reading.documents import LADDER, REST, STORE, problems_after, problems_in

CASES = [
    pytest.param(
        "{context-limit: 4000}",
        "{contxt-limit: 4000}",
        [
            (
                "spec.tiers[1].flags.contxt-limit «contxt-limit» the flag `contxt-limit` is not on the list of"
                " FlagStore `platform`, did you mean `context-limit`? [ladder-flag]"
            ),
        ],
        id="nearly-on-the-list",
    ),
    pytest.param(
        "{context-limit: 4000}",
        "{dark-mode: 4000}",
        [
            (
                "spec.tiers[1].flags.dark-mode «dark-mode» the flag `dark-mode` is not on the list of FlagStore"
                " `platform`, did you mean `mode`? [ladder-flag]"
            ),
        ],
        id="on-no-list",
    ),
    pytest.param(
        "{context-limit: 4000}",
        "{context-limit: true}",
        [
            (
                "spec.tiers[1].flags.context-limit «true» `context-limit` is a flag of type integer: it takes a"
                " whole number, not true [ladder-flag]"
            ),
        ],
        id="true-for-a-number",
    ),
    pytest.param(
        "{context-limit: 4000}",
        "{context-limit: 4000.5}",
        [
            (
                "spec.tiers[1].flags.context-limit «4000.5» `context-limit` is a flag of type integer: it takes a"
                " whole number, not `4000.5` [ladder-flag]"
            ),
        ],
        id="fraction-for-a-number",
    ),
    pytest.param(
        "{adaptive-sampling: true}",
        '{adaptive-sampling: "true"}',
        [
            (
                'spec.tiers[0].flags.adaptive-sampling «"true"» `adaptive-sampling` is a flag of type boolean: it'
                " takes true or false, not `true` = write it without quotes, in lower case [ladder-flag]"
            ),
        ],
        id="quoted-boolean",
    ),
    pytest.param(
        "{adaptive-sampling: true}",
        "{adaptive-sampling: on}",
        [
            (
                "spec.tiers[0].flags.adaptive-sampling «on» `adaptive-sampling` is a flag of type boolean: it takes"
                " true or false, not `on` = write true [ladder-flag]"
            ),
        ],
        id="on-for-a-boolean",
    ),
    pytest.param(
        "{context-limit: 4000}",
        "{context-limit: 4000, mode: true}",
        [
            (
                "spec.tiers[1].flags.mode «true» `mode` is a flag of type string: it takes text, not true = write it"
                " in quotes if text is meant [ladder-flag]"
            ),
        ],
        id="true-for-text",
    ),
    pytest.param(
        "{context-limit: 4000}",
        "{context-limit: }",
        [
            (
                "spec.tiers[1].flags.context-limit «context-limit» expected true or false or text, got nothing"
                " [bad-value]"
            ),
        ],
        id="nothing",
    ),
    pytest.param(
        "{adaptive-sampling: true}",
        "{adaptive-sampling: false}",
        [
            (
                "spec.tiers[0].flags.adaptive-sampling «false» does nothing: false is what `adaptive-sampling` is at"
                " full service = write the value that reduces the service [ladder-flag]"
            ),
        ],
        id="as-at-full-service",
    ),
    pytest.param(
        "{context-limit: 4000}",
        "{context-limit: 4000, adaptive-sampling: true}",
        [
            (
                "spec.tiers[1].flags.adaptive-sampling «true» warning: does nothing: tier 1 `observe` sets"
                " `adaptive-sampling` to true already = a tier adds to those below it: remove it [ladder-flag]"
            ),
        ],
        id="as-below-already",
    ),
    pytest.param(
        "{context-limit: 4000}",
        "{context-limit: 4000, adaptive-sampling: false}",
        [
            (
                "spec.tiers[1].flags.adaptive-sampling «false» warning: gives back what tier 1 `observe` took: false"
                " is `adaptive-sampling` at full service = a tier adds to those below it [ladder-flag]"
            ),
        ],
        id="gives-back",
    ),
    pytest.param(
        "{context-limit: 4000}",
        "{}",
        [
            "spec.tiers[1].flags «{}» must not be empty [bad-value]",
        ],
        id="no-flags",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), CASES)
def test_a_mistake_is_told_at_its_place_with_the_way_out(old: str, new: str, told: list[str]) -> None:
    assert problems_after(old, new) == told


def test_flags_in_memory_are_for_trying_out() -> None:
    text = (LADDER + STORE).replace("flagd: {file: flags.json}", "memory: {}") + REST
    assert problems_in(text) == []
    assert problems_in(text.replace("spec:\n  flagStore", "spec:\n  mode: recommend\n  flagStore")) == [
        "spec.flagStore «platform» warning: FlagStore `platform` is in memory: no application reads it, and its"
        " flags go with the process = use flagd, unleash or another store [ladder-flag]"
    ]


def test_one_flag_belongs_to_one_ladder() -> None:
    other = LADDER.replace("name: intelgraph", "name: another")
    other = other.replace("{adaptive-sampling: true}", "{mode: lean}").replace("{context-limit: 4000}", "{mode: bare}")
    assert problems_in(LADDER + "---\n" + other + STORE + REST) == [
        "spec.tiers[2].flags.enrichers-paused «enrichers-paused» ladder `intelgraph` writes the flag"
        " `enrichers-paused`, too = one flag belongs to one ladder; the other one stands at ladder.yaml:4:9"
        " [ladder-shared-flag]"
    ]


def test_flags_of_one_name_in_two_stores_are_two() -> None:
    other = LADDER.replace("name: intelgraph", "name: another").replace("flagStore: platform", "flagStore: second")
    assert problems_in(LADDER + "---\n" + other + STORE + STORE.replace("name: platform", "name: second") + REST) == []


def test_without_its_store_nothing_is_said_of_flags() -> None:
    assert problems_in(LADDER + REST) == [
        "spec.flagStore «platform» there is no FlagStore `platform` = declare a FlagStore [ladder-reference]"
    ]
