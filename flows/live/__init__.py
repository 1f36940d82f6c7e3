"""The live worker's loop: its lease, its connections, and one run after another."""
