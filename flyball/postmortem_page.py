"""A postmortem as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

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
            "sheets": [Markup((STATIC / name).read_text()) for name in _SHEETS],  # noqa: S704 -- our own files
        }
    )  # fmt: skip
