"""Photographs: collected, listed, and prepared as arrays."""
