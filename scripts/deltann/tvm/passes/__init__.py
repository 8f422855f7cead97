"""Relax graph passes that TVM doesn't have."""
