"""Checkpoints of a cell: finished parts are read back, damaged or foreign ones are not."""

import multiprocessing

import numpy as np
import pytest

from deltann.stages.checkpoint import Checkpoint, Circumstances, PartResult, lock
from deltann.stages.disturbance import Demand

PART, WHERE = slice(0, 3), Circumstances("session", 0.01, Demand(2.0, 0.5))


def part(value: float = 1.0) -> PartResult:
    return PartResult(np.full((3, 4), value, np.float32), np.full((3, 2), 0.01), WHERE)


def test_a_finished_part_is_read_back(tmp_path):
    checkpoint = Checkpoint(tmp_path / "cell", "a" * 64)
    assert not checkpoint.has(PART)
    checkpoint.save(PART, part(0.1))
    found = checkpoint.load(PART)
    assert found.logits.tobytes() == part(0.1).logits.tobytes()
    assert found.latency.dtype == np.float64 and (found.latency == 0.01).all()
    assert found.circumstances == WHERE
    assert not checkpoint.has(slice(3, 6))


def test_a_part_of_another_key_is_none(tmp_path):
    Checkpoint(tmp_path, "a" * 64).save(PART, part())
    assert not Checkpoint(tmp_path, "b" * 64).has(PART)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text"])
def test_a_damaged_part_is_none(tmp_path, damage):
    checkpoint = Checkpoint(tmp_path, "a" * 64)
    checkpoint.save(PART, part())
    (path,) = tmp_path.glob("*.npz")
    data = bytearray(path.read_bytes())
    place = data.index(part().logits.tobytes())
    data[place] ^= 1
    truncated = path.read_bytes()[: len(data) // 2]
    content = {"truncated": truncated, "flipped": data, "empty": b"", "text": b"I am no part"}
    path.write_bytes(content[damage])
    assert not checkpoint.has(PART)
    checkpoint.save(PART, part())
    assert checkpoint.has(PART)


def _hold(folder, began, end) -> None:
    with lock(folder):
        began.set()
        end.wait(30)
        Checkpoint(folder, "").remove()


def test_a_second_process_waits_for_the_first(tmp_path, capfd):
    folder = tmp_path / "progress" / "cell"
    context = multiprocessing.get_context("fork")
    began, end = context.Event(), context.Event()
    first = context.Process(target=_hold, args=(folder, began, end))
    first.start()
    assert began.wait(30)
    second_began = context.Event()
    second = context.Process(target=_hold, args=(folder, second_began, end))
    second.start()
    assert not second_began.wait(0.5)
    end.set()
    assert second_began.wait(30)
    for process in (first, second):
        process.join(30)
        assert process.exitcode == 0
    assert "another process is at work on this cell" in capfd.readouterr().out
    assert list(folder.parent.iterdir()) == []
