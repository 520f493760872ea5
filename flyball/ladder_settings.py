"""Settings of downshift ladders: the kill switch, which lies outside of any flag system."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flyball.setting_names import DEFAULT_VALUES, VARIABLES

_OFF: Final = ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class LadderSettings:
    """While `stop_file` is there, or `stop` (of the environment) says anything but no, no flag is written."""

    stop_file: Path = Path(DEFAULT_VALUES["ladder.stopFile"])
    stop: str = ""

    def why_stopped(self) -> str:
        """What has set the kill switch, in words; empty while it is not set. A file that cannot be seen has set it."""
        if self.stop.lower() not in _OFF:
            return f"{VARIABLES['ladder stop']} is set"
        try:
            self.stop_file.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except OSError as error:
            return f"{self.stop_file} cannot be looked at: {error.strerror}"
        return f"{self.stop_file} is there"
