"""Kernels for processors, and their schedules."""
