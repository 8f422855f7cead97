"""The explorer: one page with every cell, linked to plots, and the images that cells disagree on.

`cells` has the table's rows, `answers` finds the images, `thumbnails` draws them, `libraries` has
the JavaScript that others wrote, `page` puts them into one file. The page's own script is in
`script/`, and it computes no metric: its numbers come from the study's tables.
"""
