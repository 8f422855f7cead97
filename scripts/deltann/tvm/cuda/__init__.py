"""Kernels for CUDA GPUs."""
