"""Bookings: merging deliveries, and planning what mirrors a booking in GHL."""
