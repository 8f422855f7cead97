"""The part of the planted-fault benchmark for continuous integration, by its one command."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deltann.localise import remote
from helpers.workspace import ROOT

pytestmark = pytest.mark.usefixtures("environments")
FAULTS = ROOT / "benchmarks" / "faults"
# What a tool must not be told.
SECRETS = ("mutation", "family", "attribute", "right_value", "faults", "kind", "class", "depth")


def photographs(path: Path) -> Path:
    """A wheel with photographs that were made up: smooth colours and edges, 512 by 512."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:512, 0:512] / 512
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20):
            image = np.zeros((512, 512, 3))
            for channel in range(3):
                a, b, c, d = random.uniform(-12, 12, 4)
                image[..., channel] = np.sin(a * x + b * y + c) + (x * d / 3 > y)
            spread = (image - image.min()) / np.ptp(image) * 255
            content = io.BytesIO()
            Image.fromarray(spread.astype(np.uint8)).save(content, "JPEG")
            archive.writestr(f"foolbox/data/imagenet_{number:02d}_{number}.jpg", content.getvalue())
    return path


def command(corpus: Path, name: str, *options: str) -> subprocess.CompletedProcess:
    given = [str(corpus), "--part", "ci", "--photographs", str(corpus.parent / "made.whl")]
    variables = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, str(FAULTS / name), *given, *options],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess]:
    """The corpus, and what the command printed."""
    folder = tmp_path_factory.mktemp("planted")
    photographs(folder / "made.whl")
    return folder / "corpus", command(folder / "corpus", "run.py", "--no-repair")


def truths(corpus: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(corpus.glob("truth/*.json"))]


def test_it_scores_the_cases_without_a_false_alarm(ran):
    corpus, printed = ran
    assert printed.returncode == 0, printed.stdout
    kinds = [truth["kind"] for truth in truths(corpus)]
    assert kinds.count("fault") >= 10 and kinds.count("benign") >= 3 and kinds.count("clean") >= 4
    assert "| operator, top 1 |" in printed.stdout and "reimplemented" in printed.stdout


def accepted(truth: dict) -> set[str]:
    return {*truth["faults"][0]["operators"], *truth["faults"][0]["around"]}


def test_most_planted_faults_are_found(ran):
    corpus, _ = ran
    answers = [json.loads(line) for line in open(corpus / "answers-ci-onnx.jsonl")]
    said = {answer["id"]: answer for answer in answers}
    faulty = [
        truth
        for truth in truths(corpus)
        if truth["kind"] == "fault" and truth["class"] != "equivalent"
    ]
    hits = [
        truth["id"]
        for truth in faulty
        for fault in said[truth["id"]].get("faults", [])[:1]
        if {*fault["ranked"][:3]}
        & {*truth["faults"][0]["operators"], *truth["faults"][0]["around"]}
    ]
    assert len(hits) >= 0.8 * len(faulty)


def test_the_tool_is_not_told_the_truth(ran):
    corpus, _ = ran
    mutations = {fault["mutation"] for truth in truths(corpus) for fault in truth["faults"]}
    for path in corpus.glob("cases/*/case.json"):
        assert not {*json.loads(path.read_text())} & {*SECRETS}
        assert not [name for name in mutations if name in path.read_text()], path


def test_a_case_that_is_lost_is_made_again_the_same(ran):
    corpus, _ = ran
    lost = next(truth for truth in truths(corpus) if truth["kind"] == "fault")
    file = corpus / lost["files"][-1]["path"]
    before = file.read_bytes()
    shutil.rmtree(file.parent)
    (corpus / "truth" / f"{lost['id']}.json").unlink()
    count = len(truths(corpus))

    assert command(corpus, "plant.py").returncode == 0

    assert file.read_bytes() == before
    assert len(truths(corpus)) == count + 1


def test_two_passes_that_are_wrong_only_together_are_named(ran):
    corpus, _ = ran
    pair = "EliminateCommonSubexpr", "CombineParallelConv2D"
    names = ["hourglass-0 FuseOps", f"hourglass-0 pair-add_as_negative-{'-'.join(pair)}"]
    out = corpus / "passes.jsonl"
    script = [str(FAULTS / "passes.py"), str(corpus), str(out), "hourglass-0", "--only", *names]
    variables = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([*remote.python("tvm"), *script], cwd=ROOT, env=variables, check=True)
    right, wrong = (json.loads(line) for line in out.read_text().splitlines())
    assert right["minimal"] == []
    assert (wrong["minimal"], wrong["single_pass"]) == ([*pair], [])
    assert [wrong["kernel"], wrong["number"]] in wrong["kernels"]
