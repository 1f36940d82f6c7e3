"""Access to the sandbox's GHL: tokens, rights and rate limits."""
