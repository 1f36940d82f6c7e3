"""Resolving reviews: a person's decision becomes the rule for a record."""
