"""The gateway: stores webhook deliveries and serves the API."""
