"""A process that publishes one snapshot after another, to be killed: `python -m … FOLDER FIRST_MINUTE`."""

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from synthetics.status_page.adapters.page_folder import PageFolder
from synthetics.status_page.publishing import publish
from tests.synthetics.status_page.rendering import samples


def run(folder: Path, minute: int) -> None:
    """Until it is killed; each page says its minute in every incident's name."""
    place = PageFolder(folder)
    while True:
        publish(place, told(minute))
        print(minute, flush=True)
        minute += 1


def told(minute: int) -> samples.PublicSnapshot:
    """The same page, one minute later, with another text in many files."""
    snapshot = replace(samples.calm(), at=samples.NOW + timedelta(minutes=minute), components=(), groups=())
    incidents = tuple(replace(each, name=f"minute {minute}") for each in snapshot.incidents)
    return replace(snapshot, incidents=incidents)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
