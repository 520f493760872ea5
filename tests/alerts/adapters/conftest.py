"""A store and the servers that notifiers talk to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.adapters.telling import Book, a_book, an_empty_database
from tests.outside.slack import SlackServer


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_empty_database(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def book(tmp_path: Path, empty_database: Path) -> Iterator[Book]:
    with a_book(tmp_path, empty_database) as book:
        yield book


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server
