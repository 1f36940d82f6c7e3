"""TimeRex's API and webhooks, in domain types."""
