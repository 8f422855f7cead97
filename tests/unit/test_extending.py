"""Each addition that docs/extending.md shows touches one place."""

import subprocess

import pytest

from helpers import additions

KINDS = [
    "A model",
    "A converter",
    "A framework",
    "A resizer",
    "A convention",
    "A device",
    "A graph pass or a level",
    "A metric",
    "A table",
    "A figure",
]


def test_every_kind_of_addition_has_a_diff():
    assert list(additions.diffs()) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_an_addition_touches_one_file(kind):
    assert len(additions.touched(additions.diffs()[kind])) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_addition_applies_to_the_code_as_it_is(kind):
    done = subprocess.run(
        ["git", "apply", "--check", "-"],
        cwd=additions.ROOT,
        input=additions.diffs()[kind],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
