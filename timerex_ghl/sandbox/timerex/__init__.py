"""The sandbox's TimeRex: its state, booking pages, REST API and webhooks."""
