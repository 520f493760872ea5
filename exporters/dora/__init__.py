"""The five DORA metrics: facts from events, what they mean, and what they add up to."""
