"""A list of documents, as OpenSLO's own tools write them, is read like documents apart."""

import pytest

from tests.controlplane.specimens import GOAL, read_text


def listed(*documents: str) -> str:
    """Documents as the items of one list."""
    return "".join("- " + document.rstrip("\n").replace("\n", "\n  ") + "\n" for document in documents)


GOOD = GOAL + "  service: shop\n"
OTHER = GOOD.replace("one", "two")


def test_each_item_of_a_list_is_a_document() -> None:
    result = read_text(listed(GOOD, OTHER) + "---\n" + GOOD.replace("one", "three"))
    assert not result.problems
    assert [str(document.position) for document in result.documents] == ["a.yaml:1:3", "a.yaml:7:3", "a.yaml:14:1"]
    assert str(result.documents[1].position_of("spec", "service")) == "a.yaml:12:14"


def test_a_mistake_in_one_item_leaves_the_others() -> None:
    broken = GOOD + "  servic: x\n  service: twice\n"
    result = read_text(listed(broken, OTHER))
    assert [document.value.model_dump()["metadata"]["name"] for document in result.documents] == ["two"]
    assert [(problem.rule, problem.line) for problem in result.problems] == [("unknown-field", 7), ("duplicate-key", 8)]


def test_an_item_that_is_no_document_is_told_at_its_place() -> None:
    result = read_text(listed(GOOD) + "- text\n-\n- [a]\n" + listed(OTHER))
    assert len(result.documents) == 2
    assert [(problem.line, problem.message) for problem in result.problems] == [
        (7, "expected a mapping, got plain text"),
        (8, "expected a mapping, got nothing"),
        (9, "expected a mapping, got a list"),
    ]


def test_a_list_without_any_mapping_is_one_problem() -> None:
    (problem,) = read_text("- a\n- b\n- c\n").problems
    assert (problem.line, problem.message) == (1, "expected a mapping, got a list")


def test_a_name_twice_in_a_list_is_told() -> None:
    (problem,) = read_text(listed(GOOD, GOOD)).problems
    assert (problem.rule, problem.line) == ("duplicate-name", 10)


def test_a_list_of_nothing_but_mistakes_is_not_told_to_its_end() -> None:
    problems = read_text("- {a: b}\n" * 5000).problems
    assert problems[-1].rule == "too-many"
    assert len(problems) < 1010


def of_kind_list(*documents: str, head: str = "apiVersion: v1\nkind: List\n") -> str:
    """Documents as the items of a `kind: List`."""
    return head + "items:\n" + listed(*documents)


@pytest.mark.parametrize("version", ["v1", "openslo/v1", "openslo.com/v2alpha"])
def test_each_item_of_a_kind_list_is_a_document_at_its_own_place(version: str) -> None:
    head = f"apiVersion: {version}\nkind: List\nmetadata: {{resourceVersion: ''}}\n"
    result = read_text(of_kind_list(GOOD, OTHER, head=head))
    assert not result.problems
    assert [str(document.position) for document in result.documents] == ["a.yaml:5:3", "a.yaml:11:3"]
    assert str(result.documents[1].position_of("spec", "service")) == "a.yaml:16:14"


def test_lists_within_lists_and_json_are_read_too() -> None:
    inner = of_kind_list(GOOD).rstrip("\n").replace("\n", "\n  ")
    assert len(read_text(f"- {inner}\n" + listed(OTHER)).documents) == 2
    team = '{"apiVersion":"test/v1","kind":"Team","metadata":{"name":"a"}}'
    as_json = '{"apiVersion":"v1","kind":"List","items":[' + team + "]}"
    (document,) = read_text(as_json, "a.json").documents
    assert str(document.position_of("metadata", "name")) == "a.json:1:100"


def test_a_mistake_in_an_item_of_a_kind_list_names_its_line_and_field() -> None:
    result = read_text(of_kind_list(GOOD + "  servic: x\n", OTHER))
    assert [(problem.line, problem.field) for problem in result.problems] == [(10, "spec.servic")]
    assert len(result.documents) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("apiVersion: v1\nkind: List\n", (2, "items", "required, but missing")),
        ("apiVersion: v1\nkind: List\nitem: []\n", (3, "item", "unknown field `item`, did you mean `items`?")),
        ("apiVersion: v1\nkind: List\nitems: {a: b}\n", (3, "items", "expected a list, got a mapping")),
        ("apiVersion: v1\nkind: List\nitems: a\n", (3, "items", "expected a list, got plain text")),
        ("apiVersion: v1\nkind: List\nitems: [a]\n", (3, "", "expected a mapping, got plain text")),
        ("apiVersion: v3\nkind: List\nitems: []\n", (1, "apiVersion", "unknown apiVersion `v3` of a List")),
        ("apiVersion: [v1]\nkind: List\nitems: []\n", (1, "apiVersion", "expected text")),
        ("kind: List\nitems: []\n", (1, "apiVersion", "required, but missing")),
        ("apiVersion: v1\nkind: List\nspec: {}\nitems: []\n", (3, "spec", "unknown field `spec`")),
    ],
)
def test_what_is_wrong_about_a_kind_list_itself_is_told(text: str, told: tuple[int, str, str]) -> None:
    (problem,) = read_text(text).problems
    assert (problem.line, problem.field, problem.message) == told


@pytest.mark.parametrize("items", ["[]", "", "~"])
def test_a_kind_list_of_nothing_is_nothing(items: str) -> None:
    result = read_text(f"apiVersion: v1\nkind: List\nitems: {items}\n")
    assert not result.problems
    assert not result.documents
