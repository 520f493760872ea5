"""What journeys need of the world: HTTP, processes, a browser, and a folder for what is kept of failures."""
