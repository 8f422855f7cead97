"""Where a compiled cell's answers leave the native ones: which passes, and which kernel.

`search` bisects over passes and the schedule, each set compiled and run in a child by `attempt`;
`locate` compares the tensors of two compilations, and `page` tells what was found.
"""

# The prefix of the switch that stands for a cell's schedule, among those that stand for passes.
SCHEDULE = "schedule "
