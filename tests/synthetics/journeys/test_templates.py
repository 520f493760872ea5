"""Texts with references in them."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetics.journeys.templates import (
    BadTemplate,
    Items,
    Members,
    Number,
    Origin,
    Unset,
    Values,
    parse,
    rendered,
)

VALUES = Values(
    {"id": 7, "name": 'a "b"', "list": [1, None], "on": True},
    {"password": "s3cret"},
    {"TENANT": "acme"},
    datetime(2026, 11, 30, 19, 21, 7, 5, UTC),
    "abc123",
)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("/items/${id}?tenant=${env:TENANT}", "/items/7?tenant=acme"),
        ("${now} ${unique}", "2026-11-30T19:21:07Z abc123"),
        ("${secret:password}${secret:password}", "s3crets3cret"),
        ("${list} ${on}", "[1,null] true"),
        ("$${id} $$ $ {} $", "${id} $$ $ {} $"),
        ("", ""),
    ],
)
def test_references_are_filled_in(text: str, filled: str) -> None:
    assert VALUES.text(parse(text)) == filled


@pytest.mark.parametrize(
    ("text", "offset", "length"),
    [("a ${id", 2, 4), ("a ${} b", 2, 3), ("${a b}", 0, 6), ("x${foo:bar}", 1, 10), ("${secret:}", 0, 10)],
)
def test_what_names_nothing_is_refused_where_it_stands(text: str, offset: int, length: int) -> None:
    with pytest.raises(BadTemplate) as refused:
        parse(text)
    assert (refused.value.offset, refused.value.length) == (offset, length)


def test_a_value_that_is_not_there_is_told_by_its_name_and_origin() -> None:
    for text, origin in (("${nope}", Origin.NAME), ("${env:NOPE}", Origin.ENVIRONMENT)):
        with pytest.raises(Unset) as unset:
            VALUES.text(parse(text))
        assert unset.value.reference.origin is origin


def test_json_keeps_types_of_what_stands_alone_and_quotes_the_rest() -> None:
    tree = Members(
        (
            ("id", parse("${id}")),
            ("text", parse("no. ${id}")),
            ("name", parse("${name}")),
            ("list", Items((Number("1.50"), True, None, parse("${list}")))),
        )
    )
    text = rendered(tree, VALUES)
    assert text == '{"id":7,"text":"no. 7","name":"a \\"b\\"","list":[1.50,true,null,[1, null]]}'


@given(st.text().filter(lambda text: "${" not in text))
def test_a_text_without_references_is_itself(text: str) -> None:
    assert VALUES.text(parse(text)) == text


@given(st.text())
def test_any_text_can_be_written_and_sent_as_json(text: str) -> None:
    escaped = text.replace("${", "$${")
    if "$$${" not in escaped:  # a `$` before the reference escapes it once more
        assert VALUES.text(parse(escaped)) == text
        assert json.loads(rendered(parse(escaped), VALUES)) == text
