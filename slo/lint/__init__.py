"""Habits in SLO files that cost something later: rules with names, told by `flyball check`."""

from slo.lint.rule import About, Finding, Level, LintRule
from slo.lint.rules import BY_NAME, RULES
from slo.lint.static import Surroundings, static_findings

__all__ = ["BY_NAME", "RULES", "About", "Finding", "Level", "LintRule", "Surroundings", "static_findings"]
