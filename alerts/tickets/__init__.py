"""Issues in trackers, one for each thing that somebody should look into."""
