"""The inbox: its events, its queue, and how long events are kept."""
