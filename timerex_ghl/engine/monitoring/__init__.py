"""Finding faults of the service in the ledger."""
