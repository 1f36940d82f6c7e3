"""Contacts: their handler, from the claim to the commit, and the pages that bulk runs read."""
