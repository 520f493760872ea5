"""The roof: the only part that knows everything. Settings, wiring, scheduler, CLI, web console and demo."""
