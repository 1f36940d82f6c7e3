"""The ledger's tables and their queries, one module per table."""
