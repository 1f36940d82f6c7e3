"""The sandbox's location: custom fields, users, values."""
