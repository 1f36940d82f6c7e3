"""GHL's webhook deliveries: their signatures and their parsing."""
