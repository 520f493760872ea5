"""Why somebody was told, or was not; and who would be by other files."""
