"""The config as a grid of cells, before anything runs."""
