"""The webhook endpoints: authenticate, store, acknowledge."""
