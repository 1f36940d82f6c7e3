"""Calendars and appointments of the sandbox's GHL."""
