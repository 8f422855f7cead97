"""The disagreement gallery: the images on which cells of a model differ, with all their answers.

`answers` finds them in the study dataset, `thumbnails` draws them, `page` writes one file.
"""
