"""The rules: pure functions over plain data. No I/O, no clock."""
