"""What a repair can come to, in a word."""

REPAIRED, IMPROVED, NOT_REPAIRED, NOTHING = "repaired", "improved", "not repaired", "nothing to do"
