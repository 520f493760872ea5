"""What takes long without working begins first, beside everything else."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the demo's tests in front; the order of all others stays."""
    items.sort(key=lambda item: item.path.name != "test_demo.py")
