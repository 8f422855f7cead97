"""What a repair can come to, in a word."""

REPAIRED, IMPROVED, NOT_REPAIRED, NOTHING = "repaired", "improved", "not repaired", "nothing to do"
# Of edges whose files between them don't run.
UNREPAIRABLE = "changes answers, and can't be repaired, as a file between them doesn't run"
