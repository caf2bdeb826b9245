"""Wiring only: what runs when, on which data. Business rules live in the packages the tasks call."""
