"""The webhooks of the sandbox's GHL."""
