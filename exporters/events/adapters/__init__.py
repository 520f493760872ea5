"""The outside of delivery events: the endpoint that takes them."""
