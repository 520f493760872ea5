"""PromQL mistakes are found at the token that is wrong. `^` below an expression marks where the problem must point."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.promql import check_promql, with_window

GOOD = [
    "x", "sum(rate(x[5m]))", "sum by (a) (rate(x{a='b'}[{{.window}}]))", "x[$__rate_interval]", "x[${window}]",
    'sum(rate(x{code=~"5.."}[5m])) / sum(rate(x[5m])) > bool 0.5', "x offset 5m", "x @ end()", "x[5m:1m]", "# c\nx",
    "histogram_quantile(0.9, sum by (le) (rate(x_bucket[{{ .window }}])))", "x / on (a) group_left y",
]  # fmt: skip

RANGE_WANTED = "rate() takes a range vector, not an instant vector"
BAD = [
    ("sum(rate(x[5m])", "   ^", "the bracket `(` is never closed"),
    ("sum(rate(x[5m]))) ", "                ^", "a `)` that closes nothing"),
    ("sum(rate(x[5m]) / sum(rate(y[5m]))", "   ^", "the bracket `(` is never closed"),
    ("rate(x[5m", "      ^", "the bracket `[` is never closed"),
    ('x{a="b"', " ^", "the bracket `{` is never closed"),
    ('x{a="b}', "    ^", 'the quote " is never closed'),
    ("x{a='b}", "    ^", "the quote ' is never closed"),
    ("sum(x)) + sum(y", "      ^", "a `)` that closes nothing"),
    ("rate(x[5mm])", "       ^^^", "bad number or duration syntax: 5mm"),
    ("1_000", "^^", "bad number or duration syntax: 1_"),
    ("x{a=b}", "    ^", "unexpected identifier 'b' in label matching, expected string"),
    ("x{{a='b'}", "  ^", "unexpected left brace '{' inside braces"),
    ("rate(x[{{.win}}])", "       ^", "unexpected character inside brackets: '{'"),
    ("x + é", "    ^", "unexpected character: 'é'"),
    ("sum by (a b) (x)", "          ^", "unexpected `b`"),
    ("rate(x[$__range]) foo", "                  ^^^", "unexpected `foo`"),
    ("sum rate(x[5m])", "    ^^^^", "unexpected `rate`"),
    ("x == = y", "     ^", "unexpected `=`"),
    ("x{a='b',,c='d'}", "        ^", "unexpected `,`"),
    ("x{a='b' c='d'}", "        ^", "unexpected `c`"),
    ("x ^^ y", "   ^", "unexpected `^`"),
    ("sum(x) by a", "          ^", "unexpected `a`"),
    ("1 +", "   ^", "the expression ends too early"),
    ("nosuch(x)", "^^^^^^", "unknown function `nosuch`"),
    ("sum(rate(x[5m])) / sum(rat(y[{{ .window }}]))", "                       ^^^", "unknown function `rat`"),
    ("rate(x)", "     ^", RANGE_WANTED),
    ("sum(rate(a[5m])) / sum(rate(b))", "                            ^", RANGE_WANTED),
    ("sum(x[5m])", "^^^", "expected type vector in aggregation expression, got matrix"),
    ("x + label_replace(x)", "    ^^^^^^^^^^^^^", "expected 5 argument(s) in call to 'label_replace', got 1"),
    ('x + y{a=~"("}', "         ^^^", 'not a regular expression: "("'),
    ("x{a='b'} / {}", "           ^", "vector selector must contain at least one non-empty matcher"),
    ("", "^", "no expression"),
    ("  # only a comment", "^", "no expression"),
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_right_expressions_have_no_error(text: str) -> None:
    assert check_promql(text) is None


@pytest.mark.parametrize(("text", "marks", "message"), BAD)
def test_an_error_points_at_the_wrong_token(text: str, marks: str, message: str) -> None:
    error = check_promql(text)
    assert error is not None
    assert " " * error.offset + "^" * error.length == marks
    assert error.message == message
    assert (error.line, error.column) == (1, error.offset + 1)


def test_lines_and_columns_count_from_one() -> None:
    error = check_promql("sum(\n  rate(x[5m])\n)\n/\n  sum(rat(y[{{.window}}]))\n")
    assert error is not None
    assert (error.line, error.column, error.length) == (5, 7, 3)


def test_an_accident_is_not_parsed() -> None:
    error = check_promql("x" * 200_000)
    assert error is not None
    assert error.message == "longer than 100,000 characters"


def test_placeholders_become_the_window() -> None:
    assert (
        with_window("x[{{.window}}] y[{{ .window }}] z[$__window] $windows", "30d") == "x[30d] y[30d] z[30d] $windows"
    )


@pytest.mark.parametrize("text", [text for text, _, _ in BAD if "{{" not in text and "$" not in text and text.strip()])
def test_prometheus_refuses_what_we_refuse(text: str, promtool: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert shutil.which(promtool)
    rules = tmp_path_factory.mktemp("rules") / "rules.yaml"
    rules.write_text("groups: [{name: a, rules: [{record: a, expr: " + repr(text).replace("\\'", "''") + "}]}]")
    assert subprocess.run([promtool, "check", "rules", rules], capture_output=True, check=False).returncode != 0


TOKENS = st.sampled_from(
    ["sum", "rate", "(", ")", "[5m]", "[", "]", "{", "}", "x", 'a="b"', ",", " by ", " and ", "+", "1",
     "{{.window}}", "\n", '"', "é", "=~", " offset ", "@", "$__window", ":", "#", "5m", "nosuch("]
)  # fmt: skip


@given(st.lists(TOKENS, max_size=15))
def test_any_expression_is_judged_and_the_place_is_inside(tokens: list[str]) -> None:
    text = "".join(tokens)
    error = check_promql(text)
    if error is not None:
        assert 0 <= error.offset <= len(text)
        assert error.length >= 1
        assert text[: error.offset].count("\n") == error.line - 1
        assert error.message
