"""Every character of a scalar's value is found at its place in the file, however it was written."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from controlplane.source_text import SourceText
from controlplane.specfile.composing import Composer
from controlplane.specfile.document import Document, entry_at
from controlplane.specfile.scalars import decoded
from tests.controlplane.specimens import GOAL, read_text

Path = tuple[str | int, ...]


def value_and_places(text: str, path: Path) -> tuple[str, str, list[int]]:
    """The scalar as YAML reads it, as our decoder reads it, and the decoder's places."""
    (composed,) = Composer(text, 0).documents()
    value = composed.value
    for step in path:
        value = value[step]  # type: ignore[index, call-overload]
    entry, holder, found = entry_at(composed.place, path)
    assert found
    ours, places = decoded(text, entry, holder)
    return value if isinstance(value, str) else "", ours, places


def assert_maps_back(text: str, path: Path = ("k",)) -> None:
    value, ours, places = value_and_places(text, path)
    assert len(places) == len(value) + 1
    assert len(ours) == len(value)
    assert places == sorted(places)
    for character, shown, place in zip(value, ours, places, strict=False):
        if text[place] != character:  # folded into a space, normalised, or escaped
            assert text[place] in "\r\n\x85\\" or (text[place] == "'" == character), (text, value, place)
        if text[place] != "\\":
            assert shown == character


@pytest.mark.parametrize(
    "text",
    [
        "k: plain\n",
        "k: 'it''s'\n",
        'k: "a\\tb\\x41\\u0041\\U00000041\\\\"\n',
        "k: two\n  lines\n\n\n  more\n",
        "k: 'two\n  lines \n\n  more'\n",
        'k: "two \\\n   lines\n\n\n  more"\n',
        'k: " \\\n  \\ x\n\n   \\\n\n  y "\n',
        "k: |\n  a\n   b\n\n  c\n\n\n",
        "k: |-\n  a\n\n",
        "k: |+\n  a\n\n \n",
        "k: >\n  a\n  b\n\n  c\n   d\n\n  e\n",
        "k: >+\n\n\n  a\n  b\n\n\n",
        "k: >-\n  a\n  b",
        "k: |2\n    a\n  b\n",
        "k: |1+ # why\n a\n\n",
        "k: |\n",
        "k: |+\n\n\n",
        "k: |\r\n  a\r\n  b\r\n",
        "k: >\r\n  a\r\n  b\r\n",
        "k: &x !!str |\n  a\n",
        "k: !!str # c\n  |\n  a\n",
        "k: &a 'x'\n",
        "k:\n  plain\n",
        "k: \n\n  'q'\n",
        "k: é漢𝄞\n",
        "k: 'é\n  漢𝄞'\n",
        "k: |\n  é漢𝄞\n  x\n",
        "k: >\n  x\n  \ty\n  z\n  \tz\n",
        "k: |\n\n  \n  a\n",
        "k: |\n  a",
        "k: >\n  a\n\n   b\n\n  c\n",
        "k: ''\n",
        'k: ""\n',
        "k: x # comment\n",
        "{k: x}\n",
        "{k: 'x', j: y}\n",
        "k: |\n  a\n...\n",
        "k: |\n  a\n# end\n",
        "k: |\n  # not a comment\n  a\n # comment\n",
    ],
)
def test_characters_are_found_in_every_style(text: str) -> None:
    assert_maps_back(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("- |2\n   a\n  b\n", (0,)), ("k:\n  - |1\n    a\n   b\n", ("k", 0)), ("k:\n- |1\n  a\n b\n", ("k", 0)),
        ("k:\n  j: |2\n      a\n    b\n", ("k", "j")), ("- - |1\n    a\n   b\n", (0, 0)), ("|1\n  a\n b\n", ()),
        ("--- >\n  a\n  b\n", ()), ("--- |\n a\n", ()), ("plain\n text\n", ()),
        ("a: &a\n  j: |1\n     x\n   y\nk:\n  <<: *a\n", ("k", "j")),
    ],
)  # fmt: skip
def test_explicit_indentation_counts_from_the_parent(text: str, path: Path) -> None:
    assert_maps_back(text, path)


LINES = st.lists(st.text(alphabet="ab{}()#:-'\" \té漢", max_size=8), min_size=1, max_size=6)


@given(
    lines=LINES,
    indent=st.integers(1, 9),
    outer=st.integers(0, 4),
    style=st.sampled_from("|>"),
    chomp=st.sampled_from(["", "-", "+"]),
    explicit=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
    tail=st.sampled_from(["", "\n", "\n\n", "\n# c\n", "\n  \n"]),
)
def test_block_scalars_round_trip(
    lines: list[str], indent: int, outer: int, style: str, chomp: str, explicit: bool, line_end: str, tail: str
) -> None:
    pad = " " * (outer + indent)
    body = line_end.join(pad + line for line in lines)
    head = f"{' ' * outer}k: {style}{indent if explicit else ''}{chomp}{line_end}"
    text = head + body + tail.replace("\n", line_end)
    try:
        yaml.compose(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        return
    assert_maps_back(text)


@given(value=st.text(alphabet="ab \n\té漢\\'\"#:\x07", max_size=30), width=st.integers(5, 40))
@pytest.mark.parametrize("style", ['"', "'", "|", ">", ""])
def test_what_another_writer_wrote_is_found(style: str, value: str, width: int) -> None:
    text = yaml.dump({"k": value}, default_style=style, width=width, allow_unicode=True)
    assert_maps_back(text)


@given(
    text=st.text(alphabet="ab \n\\'\"|>-+1:#&!\r\t", max_size=40),
    opening=st.sampled_from(["k: ", "k: '", 'k: "', "k: |", "k: >", "- k: "]),
)
def test_any_scalar_that_yaml_takes_is_found(text: str, opening: str) -> None:
    whole = opening + text
    try:
        (composed,) = Composer(whole, 0).documents()
    except (yaml.YAMLError, ValueError):
        return
    path: Path = (0, "k") if opening.startswith("-") else ("k",)
    entry, _, found = entry_at(composed.place, path)
    value = composed.value
    for step in path:
        if not ((isinstance(value, dict) and step in value) or (isinstance(value, list) and step < len(value))):  # type: ignore[operator]
            return
        value = value[step]  # type: ignore[index, call-overload]
    if found and isinstance(value, str) and entry.place.inner is None:
        assert_maps_back(whole, path)


def document(text: str) -> Document:
    result = read_text(text)
    assert not result.problems
    return result.documents[0]


def test_an_offset_becomes_a_line_and_column_of_the_file() -> None:
    text = "# first\n---\n" + GOAL + "  query: |\n    sum(\n      rate(x)\n    )\n"
    found = document(text).position_in("spec", "query", offset="sum(\n  rate(x)\n)\n".index("rate"))
    assert str(found) == "a.yaml:10:7"


def test_an_offset_past_the_end_is_the_end() -> None:
    found = document(GOAL + "  query: 'ab'\n").position_in("spec", "query", offset=99)
    assert str(found) == "a.yaml:6:13"


def test_positions_fall_back_to_the_nearest_ancestor_that_is_written() -> None:
    goal = document(GOAL + "  objectives:\n    - target: 0.9\n")
    assert str(goal.position_of("spec", "objectives", 0, "target")) == "a.yaml:7:15"
    assert str(goal.key_position_of("spec", "objectives", 0, "target")) == "a.yaml:7:7"
    assert str(goal.position_of("spec", "objectives", 0, "displayName")) == "a.yaml:7:7"
    assert str(goal.position_of("spec", "objectives", 5, "target")) == "a.yaml:7:5"
    assert str(goal.key_position_of("spec", "objectives", 5)) == "a.yaml:6:3"
    assert str(goal.position_in("spec", "query", offset=3)) == "a.yaml:6:3"
    assert str(goal.position) == "a.yaml:1:1"


def test_a_problem_of_a_document_knows_its_field_and_underlines_it() -> None:
    goal = document(GOAL + "  query: |\n    sum(rat(x))\n  objectives:\n    - target: 0.9\n")
    wrong = goal.problem("spec", "query", message="no such function", offset=4, length=3)
    assert (wrong.line, wrong.column, wrong.field, wrong.length) == (7, 9, "spec.query", 3)
    whole = goal.problem("spec", "objectives", 0, "target", message="too low")
    assert (whole.line, whole.column, whole.field, whole.length) == (9, 15, "spec.objectives[0].target", 3)
    key = goal.problem("spec", "objectives", message="too few", on_key=True)
    assert (key.line, key.column, key.length) == (8, 3, 10)


def test_lines_end_as_editors_count_them() -> None:
    source = SourceText("a", "a\r\nb\rc\nd\x85e\u2028f")
    assert [source.line(number) for number in range(6)] == ["", "a", "b", "c", "d\x85e\u2028f", ""]
    assert str(source.position(5)) == "a:3:1"
