"""The languages that a status page can be written in: each has a catalogue in `rendering/catalogues/`."""

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "de": "Deutsch"}
"""By their BCP 47 tag, named as their speakers name them; in the order in which pages offer them."""
