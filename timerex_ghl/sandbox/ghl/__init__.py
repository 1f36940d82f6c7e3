"""The sandbox's GHL: its state, its operations and how a call reaches them."""
