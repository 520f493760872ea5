"""What Slack takes (docs.slack.dev/reference/block-kit); lengths are in UTF-16 units, the most cautious reading.

The sum over all blocks is not documented; messages are refused from about 13,200 characters on (bolt-js#2509), some
from 11,400 on (bolt-js#2867). We stay far below.
"""

from typing import Final

BLOCKS: Final = 50
ALL_BLOCKS: Final = 9_000  # our own bound, of the blocks as JSON
HEADER: Final = 150
SECTION: Final = 3_000
FIELDS: Final = 10
FIELD: Final = 2_000
CONTEXT_ELEMENTS: Final = 10
ACTIONS: Final = 25
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
BUTTON_URL: Final = 3_000
IDENTIFIER: Final = 255  # action_id, block_id
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
FALLBACK_TEXT: Final = 4_000  # recommended; cut from 40,000 on


def size(text: str) -> int:
    """How long Slack takes it to be."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
