"""Verify a finished study and archive it."""
