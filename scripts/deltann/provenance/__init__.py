"""Files, their checksums, and the records that say how they were made."""
