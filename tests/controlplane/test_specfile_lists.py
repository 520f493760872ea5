"""A list of documents, as OpenSLO's own tools write them, is read like documents apart."""

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
