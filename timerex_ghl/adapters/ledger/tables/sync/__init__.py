"""What syncing needs to remember: links, intents, locks, the call budget, positions."""
