"""Access to GHL: tokens, and how they are requested and refreshed."""
