"""The downshift ladder joined to flag stores, journeys, metrics, the store and the environment."""
