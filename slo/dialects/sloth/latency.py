"""Latency as Sloth's users write it: all events without those of one bucket."""

from collections.abc import Sequence

from slo.promql.promql_text import Token, selectors, silent, tokens, without_placeholders
from slo.promql.sums import terms_of
from slo.promql.written_queries import Written


def fast_among(bad: Written, total: Written) -> Written | None:
    """The bucket of fast events when the bad ones are `total - sum(…x_bucket…)`; None when they are anything else.

    As good events of a latency, a bucket that does not exist is missing data, not an outage.
    """
    if "_bucket" not in bad.text:
        return None
    listed = _without_parentheses(tokens(without_placeholders(bad.text)))
    terms = terms_of(listed)
    if [operator for operator, _ in terms] != ["", "-"]:
        return None
    (_, every), (_, fast) = terms
    if _speech(listed[every]) != _speech(_without_parentheses(tokens(without_placeholders(total.text)))):
        return None
    found = selectors(listed[fast])
    if len(found) != 1 or not found[0].name.endswith("_bucket"):
        return None
    start, end = listed[fast][0].start, listed[fast][-1].end
    return Written(bad.document, bad.path, " " * start + bad.text[start:end])  # every character keeps its place


def _without_parentheses(listed: Sequence[Token]) -> Sequence[Token]:
    """The tokens inside of parentheses that enclose everything."""
    speaking = [index for index, token in enumerate(listed) if not silent(token)]
    if not speaking or listed[speaking[0]].text != "(" or listed[speaking[-1]].text != ")":
        return listed
    depth = 0
    for index in speaking:
        depth += (listed[index].text == "(") - (listed[index].text == ")")
        if depth == 0 and index != speaking[-1]:
            return listed
    return _without_parentheses(listed[speaking[0] + 1 : speaking[-1]])


def _speech(listed: Sequence[Token]) -> list[str]:
    return [token.text for token in listed if not silent(token)]
