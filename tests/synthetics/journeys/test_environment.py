"""Where secrets come from."""

from pathlib import Path

import pytest

from synthetics.journeys.environment import Environment, NoSecret, variables_named
from tests.synthetics.journeys.reading import a_journey

JOURNEY = a_journey(
    "interval: 1m\nsecrets: [{name: key, env: SHOP_KEY}]\n"
    "steps: [{name: one, http: {url: 'http://shop.example/${env:TENANT}', headers: {x-k: '${secret:key}'}}}]\n"
)


def test_secrets_come_from_variables_or_from_the_files_that_they_name(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from a file\n")
    assert Environment({"SHOP_KEY": "from the environment"}).secrets_of(JOURNEY) == {"key": "from the environment"}
    assert Environment({"SHOP_KEY_FILE": str(file)}).secrets_of(JOURNEY) == {"key": "from a file"}
    assert variables_named(JOURNEY) == {"SHOP_KEY", "SHOP_KEY_FILE", "TENANT"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "secret `key`: set SHOP_KEY, or SHOP_KEY_FILE to the path of a file that holds it"),
        ({"SHOP_KEY": "abc"}, "secret `key`: shorter than 4 characters, it cannot be kept out of reports"),
        (
            {"SHOP_KEY_FILE": "/nowhere/at/all"},
            "the file that SHOP_KEY_FILE names cannot be read: No such file or directory",
        ),
        ({"SHOP_KEY_FILE": "/dev/zero"}, "the file that SHOP_KEY_FILE names is too large"),
    ],
)
def test_a_secret_that_cannot_be_had_is_told_without_it(variables: dict[str, str], message: str) -> None:
    with pytest.raises(NoSecret) as missing:
        Environment(variables).secrets_of(JOURNEY)
    assert str(missing.value) == message


def test_an_environment_never_shows() -> None:
    assert "secret" not in repr(Environment({"A": "a secret"}))
