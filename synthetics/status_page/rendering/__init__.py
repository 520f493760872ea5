"""A snapshot as files: HTML in every language, Statuspage's JSON, feeds, calendar, badges. Pure, and always the same.

The renderer knows the snapshot and nothing else, so it can leak nothing else.
"""

from synthetics.status_page.rendering.files import render, render_fresh

__all__ = ["render", "render_fresh"]
