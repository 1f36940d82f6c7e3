"""The workspace's HTTP API, version 1: other programs read and edit its records."""
