"""The ledger, in SQL: its tables, and the database under them."""
