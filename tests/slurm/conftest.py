"""The cluster that the tests share."""

import pytest

from helpers import cluster


@pytest.fixture(scope="module")
def nodes():
    """Two nodes, which are gone afterwards."""
    if reason := cluster.missing():
        pytest.skip(f"no Slurm cluster can be started: {reason}")
    with cluster.alone():
        cluster.start()
        cluster.kill_node("n1")
        cluster.start()  # takes the place of what a killed session left
        yield
