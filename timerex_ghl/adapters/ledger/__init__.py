"""The ledger, in SQL: one module per table, and the transactions around them."""
