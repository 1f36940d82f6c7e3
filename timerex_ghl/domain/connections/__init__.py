"""A connection's settings, and the rules by which they are checked and compared."""
