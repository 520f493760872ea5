"""An incident in words, as mail and as a webhook's body: what every channel says of it."""
