"""What the program must remember, in SQL: one module a table, and the transactions around them."""
