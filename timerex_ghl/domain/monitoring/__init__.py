"""What counts as a fault of the service: webhooks that stopped."""
