"""A ladder over history: what it would have done, what that had saved, and what people would have noticed."""
