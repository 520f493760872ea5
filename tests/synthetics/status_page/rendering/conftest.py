"""Pages that many tests look at, rendered once, and a browser."""

import shutil
from collections.abc import Mapping

import pytest

from synthetics.status_page.rendering import render
from tests.synthetics.status_page.rendering import samples


@pytest.fixture(scope="session")
def everything() -> Mapping[str, bytes]:
    return render(samples.everything())


@pytest.fixture(scope="session")
def calm() -> Mapping[str, bytes]:
    return render(samples.calm())


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Debian's Chromium, which talks to nobody but us."""
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    return {
        "executable_path": next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))),
        "args": ["--no-sandbox", "--disable-dev-shm-usage", *quiet],
    }
