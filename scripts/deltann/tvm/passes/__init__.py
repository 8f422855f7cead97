"""Relax passes of our own."""
