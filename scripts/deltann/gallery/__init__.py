"""The gallery: the images on which cells of a model disagree, with all their answers.

`answers` finds the images in the study dataset, `thumbnails` draws them, `page` writes one file.
"""
