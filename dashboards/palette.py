"""The house's colours as Grafana uses them: one value each, readable on its light and on its dark theme.

Values come from `controlplane.model.palette`; the light scheme's fills stand out at 3:1 or better on both of Grafana's
own backgrounds (WCAG 2.2, 1.4.11), so one dashboard serves both themes. A word or a shape always stands with a colour.
"""

from typing import Final

from controlplane.model.palette import LIGHT

HEALTHY: Final = LIGHT.teal.fill
LOW: Final = LIGHT.amber.fill
SPENT: Final = LIGHT.vermilion.fill
UNKNOWN: Final = LIGHT.grey.fill
ON_PURPOSE: Final = LIGHT.violet.fill

GRAFANA_BACKGROUNDS: Final = ("#ffffff", "#181b1f", "#111217")  # panel light, panel dark, page dark

LOW_FROM: Final = 0.25  # below this share of the budget colour says "look here" (LOOK.md)

# Lines of one burn-rate chart, short window to long: the legend's words and order tell them apart as well as the hue.
LINES: Final = (ON_PURPOSE, HEALTHY, UNKNOWN)
