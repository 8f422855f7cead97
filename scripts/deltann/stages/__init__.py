"""The stages that run a foreign tool, a module each, and what inference measures and saves.

A stage's `work` runs in a child process. Those of `infer` and its child are two modules, since the
job itself also works: it probes the machine and writes the prediction file.
"""
