"""Notes and tasks: their fields, what people enter, and planning their writes."""
