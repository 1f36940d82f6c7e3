"""Contacts of the workspace, and snapshots of GHL's."""
