"""Whether flags are as they were seen."""

import pytest

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent
from finops.flags.comparing import due, same, shown
from finops.flags.model import FlagState, FlagWrite
from finops.flags.ports import Conflict


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (True, True, True),
        (True, 1, False),
        (0, False, False),
        ("1", 1, False),
        (None, False, False),
        (None, None, True),
    ],
)
def test_values_of_two_types_are_never_one(one: FlagValue | None, other: FlagValue | None, is_same: bool) -> None:
    assert same(one, other) == is_same


def test_what_holds_the_wanted_value_is_not_due_and_what_differs_is_a_conflict() -> None:
    seen = FlagState("f", "a", "1")
    write = FlagWrite(seen, "b")
    assert due([write], {"f": FlagState("f", "b", "2")}) == []
    assert due([write], {"f": FlagState("f", "a")}) == [write]
    for now in (FlagState("f", "c", "1"), FlagState("f", "a", "2"), FlagState("f", None)):
        with pytest.raises(Conflict, match="f \\(a when it was read") as told:
            due([write], {"f": now})
        assert told.value.flags == ("f",)
    with pytest.raises(Conflict):
        due([FlagWrite(FlagState("f", None), True)], {"f": FlagState("f", 1)})
    with pytest.raises(Permanent, match="cannot be true"):
        due([FlagWrite(FlagState("f", 1), True)], {"f": FlagState("f", 1)})


def test_values_are_shown_as_yaml_has_them_and_long_ones_cut() -> None:
    assert [shown(value) for value in (True, None, 3, "x" * 90)] == ["true", "absent", "3", "x" * 80 + "…"]
