"""The database: engines, the writer, units of work, and the clock."""
