"""Whatever stands in a file of the right shape is read, or told: nothing raises."""

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from controlplane.problems import has_errors
from controlplane.specfile import SourceFile, json_schema, read
from finops.flags.declared import declared as stores_of
from finops.flags.kinds import FLAG_STORE
from finops.flags.kinds import KINDS as FLAG_KINDS
from finops.ladder.declared import declared as ladders_of
from finops.ladder.kinds import LADDER
from tests.finops.ladder.reading.documents import KINDS, REST, STORE
from tests.finops.ladder.reading.documents import LADDER as GOOD
from tests.finops.ladder.reading.from_schema import document

SEEDS = st.integers(0, 2**32 - 1)
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def check(text: str) -> None:
    """Values come only from files without errors, and every problem stands in the file."""
    result = read([SourceFile("any.yaml", text.encode())], KINDS)
    stores, ladders = stores_of(result.documents), ladders_of(result.documents, slos=frozenset())
    lines = text.split("\n")
    for problem in (*result.problems, *stores.problems, *ladders.problems):
        assert 1 <= problem.line <= len(lines) + 1
        assert problem.message
    declared = sum(document.kind.name in ("FlagStore", "Ladder") for document in result.documents)
    if not has_errors((*result.problems, *stores.problems, *ladders.problems)):
        assert len(stores.values) + len(ladders.values) == declared


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW, derandomize=True)
@given(SEEDS)
def test_any_file_of_the_right_shape_is_read_or_told(seed: int) -> None:
    check(f"{document(FLAG_STORE, seed)}---\n{document(LADDER, seed)}")


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["llm-burn", "2", "4", "any", "all", "platform", "llm", "true", "core-flow", "tier", "{", "}"]),
        st.sampled_from(["", "llm-spike", "0", "99999", "all", "any", "[]", "~", "'", "null", "queue", "0.5", "1h"]),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=4,
)


def edited(edits: list[tuple[str, str, int]]) -> str:
    """A good file after some slips of the pen."""
    text = GOOD
    for old, new, which in edits:
        parts = text.split(old)
        at = min(which, len(parts) - 2)
        if at >= 0:
            text = old.join(parts[: at + 1]) + new + old.join(parts[at + 1 :])
    return text + STORE + REST


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW, derandomize=True)
@given(EDITS)
def test_any_slip_in_a_good_file_is_read_or_told(edits: list[tuple[str, str, int]]) -> None:
    check(edited(edits))


@pytest.mark.soak
@settings(max_examples=1000, deadline=None, suppress_health_check=SLOW)
@given(seed=SEEDS, edits=EDITS)
def test_many_files_are_read_or_told(seed: int, edits: list[tuple[str, str, int]]) -> None:
    check(f"{document(FLAG_STORE, seed)}---\n{document(LADDER, seed)}")
    check(edited(edits))


def test_the_schema_takes_the_files_that_are_right() -> None:
    validator = Draft202012Validator(json_schema((FLAG_STORE, LADDER)))
    for written in yaml.safe_load_all(GOOD + STORE):
        assert [error.message for error in validator.iter_errors(written)] == []


def test_the_schema_shows_no_place_for_a_secret() -> None:
    names = str(FLAG_KINDS[0].model.model_json_schema())
    assert "tokenFrom" in names
    assert "'token'" not in names
    assert "'secret'" not in names
