"""The words everybody shares: identifiers, runs, verdicts, code lists, one council's settings."""
