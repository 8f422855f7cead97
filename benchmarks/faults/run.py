"""Make the corpus, run the tool and the baselines over it, and write the scores: one command.

In the environment `test`, in the repository's root: `run.py`, or `run.py --part ci` for the part
that takes five minutes.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import judged
import plant
import score
import score_passes

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
MEASURED = "## Measured\n"


def located(corpus: Path, part: str, formats: list[str], repair: bool) -> Path:
    """Run the tool over a part of a corpus; the file with its answers.

    Raises:
        subprocess.CalledProcessError: the program itself failed, not a tool.
    """
    out = corpus / f"answers-{part}.jsonl"
    command = [sys.executable, str(HERE / "locate.py"), str(corpus), str(out), "--part", part]
    command += ["--baselines", *(["--repair"] if repair else [])]
    if part != "ci":
        command += ["--format", *formats]
    subprocess.run(command, cwd=ROOT, check=True)
    return out


def passes(corpus: Path) -> str:
    """Run the tool over wrong compiler passes; the tables of its scores.

    Raises:
        subprocess.CalledProcessError: the program itself failed, not a tool.
    """
    out = corpus / "answers-passes.jsonl"
    networks = [f"{name}-0" for name in plant.PARTS[plant.PASSES]]
    status = plant.run("tvm", "passes.py", str(corpus), str(out), *networks)
    if status:
        raise subprocess.CalledProcessError(status, "passes.py")
    return score_passes.report(score_passes.read(out))


def machine() -> str:
    """The machine in words, and how busy it is."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    return f"{model}, {os.cpu_count()} cores; load {os.getloadavg()[2]:.1f} over 15 minutes"


def write(text: str, path: Path) -> None:
    """Put the text in the place of what a file has under `MEASURED`."""
    kept = path.read_text(encoding="utf-8")
    path.write_text(kept[: kept.index(MEASURED)] + f"{MEASURED}\n{text}", encoding="utf-8")


def main(options: argparse.Namespace) -> int:
    """Run everything; 1 if the part for continuous integration raised a false alarm."""
    start, corpus = time.perf_counter(), options.corpus.absolute()
    if not options.no_planting:
        plant.main(options)
    parts = [part for part in options.part if part != plant.PASSES]
    outs = [located(corpus, part, options.formats, not options.no_repair) for part in parts]
    cases = judged.read(corpus, outs)
    minutes = (time.perf_counter() - start) / 60
    head = f"{machine()}; {len(cases)} cases, {minutes:.0f} minutes."
    text = f"{head}\n\n{score.report(cases)}\n{score.left_out(corpus, options.part)}"
    if plant.PASSES in options.part:
        text += f"\n{passes(corpus)}"
    print(text)
    if options.output:
        write(text, options.output)
    quiet = [case for case in cases if case.kind in ("clean", "benign")]
    return int("ci" in options.part and any(case.alarm for case in quiet))


if __name__ == "__main__":
    made = plant.parser()
    made.description = __doc__
    made.add_argument("--no-planting", action="store_true", help="the corpus is complete")
    made.add_argument("--no-repair", action="store_true", help="locate only")
    made.add_argument(
        "--output",
        type=Path,
        nargs="?",
        const=README,
        help="put the tables under Measured in this file; by default the folder's README.md",
    )
    sys.exit(main(made.parse_args()))
