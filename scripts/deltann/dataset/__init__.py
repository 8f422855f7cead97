"""Prediction files and the dataset of a study."""
