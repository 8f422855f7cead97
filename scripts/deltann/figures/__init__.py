"""One module per figure: it draws one table, and computes nothing."""
