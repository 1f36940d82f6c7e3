"""Use cases of people and programs, and their views: for the API, the CLI and imports alike."""
