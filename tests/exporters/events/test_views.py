"""What terminals are given of events."""

from controlplane.model.delivery import StoredDeliveryEvent
from exporters.events.reading import Candidate, EventReader, Terms
from exporters.events.views import event_text, list_text
from tests.exporters.events.sent import NOW, sent

COMMAND, REVERSED = "\x9b31m", "\u202e"


def test_no_event_gives_a_terminal_commands_or_turns_its_text_around() -> None:
    event = sent(subject=f"check{REVERSED}out")
    event["data"]["customData"] = {"note": f"first\x1b[2J{COMMAND}{REVERSED}"}
    stored = StoredDeliveryEvent(1, NOW, EventReader(Terms("test")).event(Candidate("", event), NOW))
    for text in (list_text([stored]), event_text(stored)):
        assert "check�out" in text
        assert all(character.isprintable() for character in text.replace("\n", ""))
