"""Contacts: identity, field mapping, the merge, and what people enter."""
