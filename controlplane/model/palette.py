"""The one place for colour values: the console's CSS, charts and Grafana dashboards all take them from here.

Every `text` and ink colour reads at 4.5:1 or better on `page`, `panel` and its own `wash` (WCAG 2.2, 1.4.3); every
`fill` and `control` stands out at 3:1 from `page` and `panel` (1.4.11). The hues stay apart for colour-blind readers,
and a word or a shape always stands with them.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Hue:
    """One meaning in three strengths, as `#rrggbb`: words, bars and lines, and the tint behind words."""

    text: str
    fill: str
    wash: str


@dataclass(frozen=True, slots=True)
class Palette:
    """All colours of one scheme, as `#rrggbb`."""

    page: str
    panel: str
    ink: str
    quiet: str  # secondary text
    hairline: str  # borders that only decorate
    control: str  # borders of things that can be pressed or filled in
    focus: str
    teal: Hue  # budget left, healthy
    amber: Hue  # budget under 25 %; tickets
    vermilion: Hue  # budget spent; pages
    grey: Hue  # no data, not covered
    violet: Hue  # reduced on purpose


LIGHT: Final = Palette(
    page="#f7f8f8",
    panel="#ffffff",
    ink="#1c2329",
    quiet="#59636e",
    hairline="#dde1e4",
    control="#7d8893",
    focus="#0b57d0",
    teal=Hue("#0b6e66", "#12897f", "#e6f4f2"),
    amber=Hue("#865300", "#b97900", "#fdf3dd"),
    vermilion=Hue("#b3320f", "#d4431a", "#fdece6"),
    grey=Hue("#59636e", "#7d8893", "#eef0f2"),
    violet=Hue("#6a3fb5", "#8257d0", "#f2ecfb"),
)

DARK: Final = Palette(
    page="#111518",
    panel="#181d21",
    ink="#e4e9ed",
    quiet="#9aa6b1",
    hairline="#2d353c",
    control="#76828d",
    focus="#7ab7ff",
    teal=Hue("#5cc9bc", "#2fa597", "#12302d"),
    amber=Hue("#e9b44c", "#cf9422", "#36290f"),
    vermilion=Hue("#ff8a66", "#e5603a", "#3d1d14"),
    grey=Hue("#9aa6b1", "#76828d", "#262d33"),
    violet=Hue("#bda0f5", "#9673e0", "#2a2140"),
)
