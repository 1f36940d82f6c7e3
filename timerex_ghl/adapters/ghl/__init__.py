"""GoHighLevel (GHL): a typed client, its credentials, and its rate limiter."""
