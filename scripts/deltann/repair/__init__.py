"""Repair the file of a cell that a converter changed: see `deltann.repair.repair`.

`candidates` lists what may help at an edge, in order of its cost; `edge` tries them; `by_edits`
edits the converted file as `deltann.localise` says; `judge` accepts by images that the search did
not see. `page` shows what was tried.
"""
