"""On which images cells disagree."""

import numpy as np

from deltann.dataset.study_file import MISSING_LABEL


def differ(label: np.ndarray) -> np.ndarray:
    """On which images the cells with an answer disagree: bool (image,) of labels (cell, image)."""
    low = np.where(label == MISSING_LABEL, np.iinfo(label.dtype).max, label).min(axis=0)
    return label.max(axis=0) > low
