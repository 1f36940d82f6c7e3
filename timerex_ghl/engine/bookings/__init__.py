"""Bookings: their handler, what mirrors them in GHL, and the polls and sweeps."""
