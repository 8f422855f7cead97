"""Kernels for CUDA GPUs, their schedules and their compiler."""
