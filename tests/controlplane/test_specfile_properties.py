"""Whatever a file holds, reading ends, raises nothing, and points into the file."""

from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from controlplane.problem_report import as_github, as_json, as_text
from controlplane.problems import Problem
from controlplane.source_text import SourceText, decode
from controlplane.specfile.composing import Composer
from tests.controlplane.bad_inputs import CASES
from tests.controlplane.specimens import GOAL, read_text

WHOLE = f"""{GOAL}  service: shop
  query: |
    sum(
      rate(x[5m]))
  objectives:
    - target: 0.999
      displayName: 'a'
  indicator: {{type: threshold, query: "x", limit: 5}}
---
apiVersion: test/v1
kind: Team
metadata:
  name: two
"""
TOKENS = st.sampled_from(
    [*"ab:[]{},'\"|>#~\n\r\t\0\x85\ufeffé\ud800\\", ": ", "- ", "\n  ", "\n    ", "&a ", "*a", "!!str ", "!x ", " #",
     "---\n", "...\n", "%YAML 1.2\n", "? ", "<<: ", "\r\n", "1.10",
     "apiVersion: test/v1\n", "kind: Goal\n", "metadata:\n", "  name: one\n", "spec:\n"]
)  # fmt: skip


def assert_reads(content: bytes) -> None:
    result = read_text(content)
    source = SourceText("a.yaml", decode(content))
    for problem in result.problems:
        assert_inside(problem, source)
    as_text(result.problems, {"a.yaml": content}, True)
    as_json(result.problems)
    assert as_github(result.problems).count("\n") == len(result.problems)


def assert_inside(problem: Problem, source: SourceText) -> None:
    assert 1 <= problem.line <= len(source.line_starts)
    line = source.line(problem.line)
    assert 1 <= problem.column <= len(line) + 1
    assert problem.column - 1 + problem.length <= len(line) + 1


@given(st.binary(max_size=300))
def test_any_bytes_are_read(content: bytes) -> None:
    assert_reads(content)


@given(st.lists(TOKENS, max_size=40))
def test_any_sequence_of_yaml_tokens_is_read(tokens: list[str]) -> None:
    assert_reads("".join(tokens).encode("utf-8", "surrogatepass"))


@given(at=st.integers(0, len(WHOLE)), removed=st.integers(0, 12), inserted=st.lists(TOKENS, max_size=3))
def test_any_edit_of_a_good_file_is_read(at: int, removed: int, inserted: list[str]) -> None:
    text = WHOLE[:at] + "".join(inserted) + WHOLE[at + removed :]
    assert_reads(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("end", range(0, len(WHOLE), 3))
def test_a_file_cut_anywhere_is_read(end: int) -> None:
    assert_reads(WHOLE[:end].encode())


@pytest.mark.parametrize("name", CASES)
def test_every_bad_input_is_read_twice_the_same(name: str) -> None:
    assert_reads(CASES[name])
    assert read_text(CASES[name]).problems == read_text(CASES[name]).problems


SCALARS = st.one_of(st.none(), st.booleans(), st.text(max_size=12))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(value=VALUES, flow=st.booleans())
def test_structures_that_another_writer_wrote_come_back(value: Any, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, sort_keys=False)
    assume("\x85" not in text)  # PyYAML writes it bare, where YAML 1.1 sees a line break: it cannot read it back either
    documents = [composed.value for composed in Composer(text, 0).documents()]
    assert documents == ([] if value is None else [value])


@given(value=VALUES)
def test_structures_in_the_place_of_a_field_are_judged_not_raised(value: Any) -> None:
    for field in ("service", "objectives", "indicator", "either", "owners", "retries", "labels"):
        spec = yaml.safe_dump(
            {"apiVersion": "test/v1", "kind": "Goal", "metadata": {"name": "a"}, "spec": {field: value}}
        )
        assert_reads(spec.encode())


@pytest.mark.parametrize(
    ("written", "read"),
    [("1.10", "1.10"), ("0.999", "0.999"), ("on", "on"), ("yes", "yes"), ("no", "no"), ("2026-01-31", "2026-01-31"),
     ("0o17", "0o17"), ("1_000", "1_000"), ("12:30:45", "12:30:45"), ("0x1F", "0x1F"),
     ("'true'", "true"), ("null", None),
     ("~", None), ("", None), ("''", ""), ("true", True), ("FALSE", False), ("!!str 5", "5"),
     ("!!str true", "true"),
     ("!!int '5'", "5"), ("!!bool 'true'", True), ("!!null ''", None), ("=", "="), ("1e3", "1e3")],
)  # fmt: skip
def test_plain_text_means_what_it_says(written: str, read: str | bool | None) -> None:
    (composed,) = Composer(f"k: {written}\n", 0).documents()
    assert composed.value == {"k": read}
    assert not composed.faults


def test_merge_keys_add_what_is_not_there() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: own\nd:\n  '<<': text\n"
    (composed,) = Composer(text, 0).documents()
    assert isinstance(composed.value, dict)
    assert composed.value["c"] == {"x": "own", "y": "2", "z": "4"}
    assert composed.value["d"] == {"<<": "text"}


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing\n", "---\n", "---\n# a\n---\n...\n", "~\n", "--- null\n", "\ufeff"]
)
def test_empty_documents_are_nothing(text: str) -> None:
    result = read_text(text)
    assert not result.documents
    assert not result.problems


def test_numbers_reach_the_model_exactly() -> None:
    (goal,) = read_text(GOAL + "  objectives: [{target: 0.99900000000000000001}]\n").documents
    assert str(goal.value.model_dump()["spec"]["objectives"][0]["target"]) == "0.99900000000000000001"


def test_directives_belong_to_the_document_after_them() -> None:
    text = f"%YAML 1.1\n# c\n--- # first\n{GOAL}  service: a\n...\n%YAML 1.1\n---\n"
    text += GOAL.replace("one", "two") + "  service: b\n"
    result = read_text(text)
    assert not result.problems
    assert [str(document.position) for document in result.documents] == ["a.yaml:4:1", "a.yaml:13:1"]


def test_many_values_are_one_problem() -> None:
    (problem,) = read_text("a: [" + "1," * 1_000_001 + "]\n").problems
    assert (problem.rule, problem.line) == ("too-large", 1)


def test_aliases_within_bounds_are_welcome() -> None:
    text = GOAL + "  objectives: [&o {target: 0.9}" + ", *o" * 1000 + "]\n"
    (goal,) = read_text(text).documents
    assert len(goal.value.model_dump()["spec"]["objectives"]) == 1001


def test_a_file_of_nothing_but_mistakes_is_not_read_to_its_end() -> None:
    problems = read_text("---\n: :\n" * 5000).problems
    assert len(problems) == 1001
    assert (problems[-1].rule, problems[-1].line) == ("too-many", 2002)


def test_a_document_of_nothing_but_mistakes_is_not_told_to_its_end() -> None:
    problems = read_text(GOAL + "  service: a\n" * 5000).problems
    assert len(problems) == 1001
    assert problems[-1].rule == "duplicate-key"
    assert "too-many" in {problem.rule for problem in problems}


def test_names_that_are_none_are_cut_in_messages() -> None:
    (problem,) = read_text(GOAL + f"  {'x' * 1000}: 1\n").problems
    assert problem.message == f"unknown field `{'x' * 80}…`"
    (problem,) = read_text(GOAL + f"  service: !{'x' * 5000} 1\n").problems
    assert len(problem.message) < 120
