"""Promises kept in one place: the door to stored data, the ledger, the two clocks, secrets and redaction."""
