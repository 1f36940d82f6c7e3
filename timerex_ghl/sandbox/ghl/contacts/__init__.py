"""Contacts of the sandbox's GHL, and how they are searched."""
