"""At which passes and at which kernel a compiled cell's answers leave the native ones.

`explain` is the stage. `search` bisects over passes and the schedule; `attempt` compiles and runs
one set of them in a child process. `locate` compares the tensors of two compilations, and `page`
shows what the search found.
"""

# The prefix of the switch that stands for a cell's schedule, among those that stand for passes.
SCHEDULE = "schedule "
