"""Writing to GHL: locks, intents, outcomes, and recovery after a crash."""
