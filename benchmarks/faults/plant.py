"""Make the corpus of planted faults: models, conversions, mutations, and the truth of each case.

`plant.py`, in the environment `test`, in the repository's root. What is there is kept.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import hops  # noqa: E402
import walked  # noqa: E402
from conversions import CONVERSIONS, ENVIRONMENTS  # noqa: E402
from jobs import Job  # noqa: E402
from mutations import BENIGN, everything  # noqa: E402

from deltann import interpreter, tracers  # noqa: E402  the folder above first
from deltann.localise import remote  # noqa: E402

HERE = Path(__file__).resolve().parent
PACKAGE = "foolbox==3.3.4"
SHA256 = "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb"
# The part with wrong compiler passes, of which only the models are made beforehand.
PASSES = "passes"
PARTS = {
    "development": ("plain", "residual", "mobile", "branches", "hourglass"),
    "held-out": ("inception", "dense", "searched", "pyramid", "mixer"),
    "ci": ("mobile", "hourglass"),
    hops.PART: ("inception", "dense", "searched", "pyramid", "mixer"),
    PASSES: ("hourglass", "mobile"),
}
# Conversions of models with other weights, in which nothing is planted.
MORE_CLEAN = ("dynamo18", "dynamo20", "kept17", "script13")
# What can't be converted on is left out, and others are planted in its place: so often in all.
ROUNDS = 2
# A crash of a tool ends the process, which goes on behind the case that crashed it.
CRASHES = 20
# Processes side by side.
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Format:
    """What is planted in the files of one format: fields as of `Job`."""

    conversions: tuple[str, ...]
    clean: tuple[str, ...]
    each: int
    doubles: int
    most: int | None = None
    then: dict[str, list[str]] = field(default_factory=dict)


FORMATS = {
    "onnx": Format(
        ("dynamo20", "kept17"),
        ("dynamo18", "dynamo20", "kept17", "script13", "script10", "kept10"),
        each=3,
        doubles=7,
    ),
    "torch": Format(
        ("onnx2torch", "onnx2torch_kept", "onnx2torch13"),
        ("onnx2torch", "onnx2torch_kept", "onnx2torch13"),
        each=1,
        doubles=1,
    ),
    "tflite": Format(
        ("tflite", "litert"),
        ("tflite", "tflite_script", "keras_tflite", "litert"),
        each=1,
        doubles=1,
    ),
    "tensorflow": Format(("onnx2tf",), ("onnx2tf", "onnx2tf_script"), each=1, doubles=1),
    "keras": Format(
        ("onnx2keras", "onnx2keras_kept"), ("onnx2keras", "onnx2keras_kept"), each=1, doubles=1
    ),
}
# The part for continuous integration: a mutation of each family, and some that are benign.
CI_ONLY = [
    *("channels_reversed", "value_range", "missing_transpose", "group_order", "bias_dropped"),
    *("folded_without_epsilon", "symmetric_stride_2", "epsilon", "resize_mode", "relu6_to_relu"),
    *("hard_sigmoid", "residual_dropped", "renamed", "one", "folded_norm", "commuted"),
]
CI = Format(("dynamo20", "kept17"), ("dynamo18", "kept17"), each=1, doubles=0)
# Routes of two and three conversions whose first or second file is changed; and some as they are.
HOPS = {
    "onnx": Format(
        ("dynamo18", "script10", "kept10"),
        (),
        each=1,
        doubles=0,
        most=30,
        then={
            "dynamo18": ["onnx2tf", "tflite"],
            "script10": ["onnx2keras", "keras_tflite"],
            "kept10": ["onnx2torch_kept"],
        },
    ),
    "tensorflow": Format(("onnx2tf",), (), 1, 0, most=15, then={"onnx2tf": ["tflite"]}),
    "keras": Format(("onnx2keras",), (), 1, 0, most=15, then={"onnx2keras": ["keras_tflite"]}),
    "tflite": Format((), ("tflite", "keras_tflite"), 0, 0),
}


def run(environment: str, script: str, *arguments: str) -> int:
    """Run a script of this folder in an environment; its exit status."""
    variables = interpreter.clean(os.environ) | {"OMP_NUM_THREADS": "1"}
    command = [*remote.python(environment), str(HERE / script), *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables).returncode


def fetch(wheel: Path) -> None:
    """Download the wheel with the photographs, by the environment that has pip.

    Raises:
        subprocess.CalledProcessError: it could not be downloaded: pip says why.
    """
    command = [*interpreter.of_environment(".venv"), "scripts/fetch_images.py"]
    command += ["--package", PACKAGE, "--sha256", SHA256, "--output", str(wheel)]
    subprocess.run(command, cwd=ROOT, env=interpreter.clean(os.environ), check=True)


def prepare(corpus: Path, models: list[str], photographs: Path | None, wanted: set[str]) -> None:
    """Make the models, and the conversions that are wanted.

    Raises:
        RuntimeError: a model could not be made.
    """
    wheel = photographs or corpus / f"{PACKAGE}.whl"
    if not wheel.exists():
        corpus.mkdir(parents=True, exist_ok=True)
        fetch(wheel)
    if run("torch", "models.py", str(corpus / "models"), str(wheel), *models):
        raise RuntimeError("the models could not be made: see above")
    for environment in ENVIRONMENTS if wanted else ():
        for _ in range(CRASHES):
            status = run(
                environment,
                "conversions.py",
                str(corpus),
                environment,
                *models,
                "--only",
                *(name for name in CONVERSIONS if name in wanted),
            )
            if status == 0:
                break


def needed(conversions: set[str]) -> set[str]:
    """Conversions, and all that they start from."""
    sources = {CONVERSIONS[name].source for name in conversions} - {"unconverted"}
    return conversions if sources <= conversions else needed(conversions | sources)


def plant(corpus: Path, framework: str, job: Job) -> None:
    """Plant the cases of one format and part."""
    path = corpus / "jobs" / f"{framework}-{job.part}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(job), indent=1), encoding="utf-8")
    for _ in range(CRASHES):
        if run(tracers.get(framework).ENVIRONMENT, "planting.py", str(path)) == 0:
            return


def in_files() -> list[str]:
    """The operators of mutation that change a file, not the images."""
    return [
        name
        for name, (family, _) in everything().items()
        if family != BENIGN and name not in ("antialias", "crop")
    ]


def finish(corpus: Path) -> None:
    """Convert the changed files on, and note what the further conversions change by themselves."""
    for environment in ENVIRONMENTS:
        for _ in range(CRASHES):
            if run(environment, "hops.py", str(corpus), environment) == 0:
                break
    walked.finish(corpus)


def plant_all(part: str, formats: dict[str, Format], options: argparse.Namespace) -> None:
    """Plant the cases of all formats of one part, a process per core."""
    with ThreadPoolExecutor(CORES) as pool:
        tasks = [
            pool.submit(plant, options.corpus.absolute(), name, job_of(part, name, item, options))
            for name, item in formats.items()
        ]
        for task in tasks:
            task.result()


def job_of(part: str, framework: str, planted: Format, options: argparse.Namespace) -> Job:
    """What is planted in a format's files of one part."""
    job = Job(
        str(options.corpus.absolute()),
        part,
        framework,
        networks(part, options),
        list(planted.conversions),
        list(planted.clean),
        options.each or planted.each,
        doubles=planted.doubles,
        most=planted.most if options.most is None else options.most,
        then=planted.then,
    )
    if part == "ci":
        return replace(job, only=CI_ONLY)
    return replace(job, only=in_files()) if part == hops.PART else job


def networks(part: str, options: argparse.Namespace) -> list[str]:
    """The models of a part."""
    return [f"{name}-{seed}" for name in PARTS[part] for seed in range(options.seeds)]


def main(options: argparse.Namespace) -> None:
    """Make what isn't there yet."""
    corpus = options.corpus.absolute()
    for part in options.part:
        formats = {name: FORMATS[name] for name in options.formats}
        if part == "ci":
            formats = {"onnx": CI}
        elif part == hops.PART:
            formats = {name: HOPS[name] for name in HOPS if name in options.formats}
        elif part == PASSES:
            formats = {}
        wanted = {name for item in formats.values() for name in (*item.conversions, *item.clean)}
        prepare(corpus, networks(part, options), options.photographs, needed(wanted))
        for _ in range(ROUNDS if part == hops.PART else 1):
            plant_all(part, formats, options)
            if part == hops.PART:
                finish(corpus)
        if part in ("development", "held-out") and "onnx" in formats:
            more = [f"{name}-{options.seeds}" for name in PARTS[part]]
            prepare(corpus, more, options.photographs, {*MORE_CLEAN})
            plant(corpus, "onnx", Job(str(corpus), part, "onnx", more, [], [*MORE_CLEAN]))


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("corpus", type=Path, nargs="?", default=ROOT / "results/benchmark-faults")
    made.add_argument("--formats", nargs="*", default=list(FORMATS), choices=FORMATS)
    parts = ["development", "held-out", hops.PART, PASSES]
    made.add_argument("--part", nargs="*", default=parts, choices=PARTS)
    made.add_argument("--each", type=int, help="cases of each operator of mutation, per format")
    made.add_argument("--most", type=int, help="faults per format and part")
    made.add_argument("--seeds", type=int, default=1, help="sets of weights of each network")
    made.add_argument("--photographs", type=Path, help="foolbox's wheel, if it is there already")
    return made


if __name__ == "__main__":
    main(parser().parse_args())
