"""How people are reached in the demo: a pager, a chat and a mailbox of its own, and the variables that lead to them."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from controlplane.ports import Clock
from flyball.demo.folder import DemoFolder
from flyball.demo.pager.answers import Answering
from flyball.demo.pager.mailbox import receiving
from flyball.demo.pager.model import Pager
from flyball.demo.pager.server import PagerParts, PagerServer, serving
from flyball.demo.platform.live import LivePlatform

_PAGED: Final = ("SRE", "ANN", "BEN", "RELEASE_LEAD", "SECOPS", "EXEC")


@dataclass(frozen=True, slots=True)
class People:
    """Where what reached them is shown, and what Flyball needs to reach them."""

    url: str
    variables: Mapping[str, str]
    pager: Pager


@contextmanager
def reaching_people(folder: DemoFolder, platform: LivePlatform, console_url: str, clock: Clock) -> Iterator[People]:
    """Until the end of the block; every secret is made anew."""
    pager, made = Pager(), [secrets.token_hex(16) for _ in range(9)]
    answering = Answering(console_url, made[0], made[1])
    keys = dict(zip(_PAGED, made[3:], strict=True))
    whose = {key: name.lower().replace("_", "-") for name, key in keys.items()}
    parts = PagerParts(pager, clock, answering, lambda fault: fault in platform.broken(), whose)
    with receiving(pager, clock) as smtp_url, serving(PagerServer(parts)) as server:
        yield People(
            server.url,
            {
                "FLYBALL_PAGERDUTY_URL": server.url,
                "FLYBALL_SLACK_URL": f"{server.url}/api",
                "FLYBALL_SMTP_URL": smtp_url,
                "FLYBALL_SLACK_TOKEN": f"xoxb-{made[2]}",
                "FLYBALL_SLACK_SIGNING_SECRET": made[1],
                "FLYBALL_PAGERDUTY_WEBHOOK_SECRETS": made[0],
                "FLYBALL_SPOOL_DIRECTORY": str(folder.root / "spool"),
                **{f"FLYBALL_PAGERDUTY_{name}": key for name, key in keys.items()},
            },
            pager,
        )
