"""Model file formats, read and written."""
