"""A postmortem as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

import base64
import hashlib
from functools import cache
from typing import Final

from markupsafe import Markup

from alerts.messages import words
from alerts.postmortems import sentences
from alerts.postmortems.model import Postmortem
from controlplane.model.follow_up import ActionState
from flyball.postmortem_charts import Drawn
from flyball.web.pages import STATIC, environment

_SHEETS: Final = ("tokens.css", "console.css", "money.css", "replay.css", "postmortem.css")
MOST_LINES: Final = 1000


def as_html(it: Postmortem, drawn: Drawn) -> str:
    """The page. Everything that people or alerts said is escaped; colours follow the reader's scheme, or the switch."""
    lines = sentences.condensed(it.timeline)
    return environment().get_template("postmortem.html").render(
        {
            "it": it,
            "incident": it.incident,
            "title": sentences.title(it),
            "standing": sentences.standing(it),
            "missing": list(sentences.missing(it)),
            "summary": sentences.summary(it),
            "impact": sentences.impact(it),
            "times": sentences.times(it),
            "suspects": sentences.suspects(it),
            "lines": [(entry, words.timeline_line(entry), more) for entry, more in lines[:MOST_LINES]],
            "left_out": max(len(lines) - MOST_LINES, 0),
            "questions": sentences.QUESTIONS,
            "drawn": drawn,
            "name_of": words.name_of,
            "open": ActionState.OPEN,
            "policy": policy(),
            "sheets": [Markup(sheet) for sheet in _sheets()],  # noqa: S704 -- our own files
        }
    )  # fmt: skip


@cache
def policy() -> str:
    """What the page may do, for its own head and for whoever serves it: show our own style sheets, and nothing else."""
    digests = [base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode() for sheet in _sheets()]
    styles = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; style-src {styles}; base-uri 'none'; form-action 'none'"


@cache
def _sheets() -> tuple[str, ...]:
    """Each as it stands between its tags: the policy names it by its hash."""
    return tuple((STATIC / name).read_text() for name in _SHEETS)
