"""The study's tables: every comparison of cells, each number with its interval and image count.

One module per table; `deltann.registry` finds it, `compute` computes it and says what a module must
offer. All metrics are those of `deltann.metrics`; percentages run from 0 to 100, intervals are of
95 %. A failed cell has its row too, with status, stage and error, and empty numbers. Comparisons of
time hold every other name of a cell equal.
"""
