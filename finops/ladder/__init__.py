"""The downshift ladder: service reduced on purpose, one verified tier at a time, while money burns too fast."""
