"""The workspace's HTTP API, version 1: contacts and bookings, read and edited by other programs."""
