"""Test files that browser journeys name."""

import errno
import os

import pytest

from synthetics.journeys.file_checks import file_problems
from tests.synthetics.journeys.reading import a_journey, told

_TESTS = b"import os\nos._exit(1)\ndef test_walk(page): pass\ndef helper(): pass\n"


def problems(content: bytes, function: str = "") -> list[str]:
    named = f", function: {function}" if function else ""
    journey = a_journey(f"interval: 1m\nbrowser: {{file: journeys/test_shop.py{named}}}\n")

    def read(path: str) -> bytes:
        assert path == "journeys/test_shop.py"
        if not content:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return content

    return told(file_problems([journey], read))


@pytest.mark.parametrize(
    ("content", "function", "lines"),
    [
        (_TESTS, "", []),
        (_TESTS, "test_walk", []),
        (
            _TESTS, "test_wlak",
            ["6:52 spec.browser.function: journeys/test_shop.py has no function `test_wlak`,"
             " did you mean `test_walk`?"],
        ),
        (
            b"", "",
            ["6:19 spec.browser.file: cannot be read: No such file or directory (paths begin at the workspace's root)"],
        ),
        (b"def test_x(:\n", "", ["6:19 spec.browser.file: is no Python: invalid syntax, line 1"]),
        (b"\0", "", ["6:19 spec.browser.file: is no Python: source code string cannot contain null bytes"]),
        (b"x = " + b"(" * 100_000, "", ["6:19 spec.browser.file: is no Python: too many nested parentheses, line 1"]),
        (
            _TESTS + b"def test_other(): pass\n", "",
            ["6:19 spec.browser.file: has 2 tests, a journey is one (name one as `function`: test_walk, test_other)"],
        ),
        (b"x = 1\n", "", ["6:19 spec.browser.file: has 0 tests, a journey is one (begin its name with `test`)"]),
        (b" " * 1_048_577, "", ["6:19 spec.browser.file: is larger than 1,048,576 bytes"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told_where_it_is_named(content: bytes, function: str, lines: list[str]) -> None:
    assert problems(content, function) == lines
