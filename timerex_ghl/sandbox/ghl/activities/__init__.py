"""Notes and tasks of the sandbox's GHL."""
