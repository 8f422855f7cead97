"""Make the corpus, run the tool and the baselines over it, and write the scores: one command.

In the environment `test`, in the repository's root: `run.py`, or `run.py --part ci` for the part
that takes five minutes.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import judged
import plant
import score
import score_passes

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
MEASURED = "## Measured\n"


def located(corpus: Path, part: str, framework: str, repair: bool) -> Path:
    """Run the tool over one format of a part of a corpus; the file with its answers.

    Raises:
        subprocess.CalledProcessError: the program itself failed, not a tool.
    """
    out = corpus / f"answers-{part}-{framework}.jsonl"
    command = [sys.executable, str(HERE / "locate.py"), str(corpus), str(out), "--part", part]
    command += ["--format", framework, "--baselines"]
    command += ["--repair"] if repair and part != judged.DEVELOPMENT else []
    subprocess.run(command, cwd=ROOT, check=True)
    return out


def searched(corpus: Path, network: str) -> Path:
    """Run the tool over wrong compiler passes of a network; the file with its answers.

    Raises:
        subprocess.CalledProcessError: the program itself failed, not a tool.
    """
    out = corpus / f"answers-passes-{network}.jsonl"
    status = plant.run("tvm", "passes.py", str(corpus), str(out), network)
    if status:
        raise subprocess.CalledProcessError(status, "passes.py")
    return out


def everything(options: argparse.Namespace, corpus: Path) -> tuple[list[Path], list[Path]]:
    """Run the tool, a process per core; the files with its answers, and those about passes."""
    parts = [part for part in options.part if part != plant.PASSES]
    networks = plant.networks(plant.PASSES, options) if plant.PASSES in options.part else []
    with ThreadPoolExecutor(plant.CORES) as pool:
        of_passes = [pool.submit(searched, corpus, name) for name in networks]
        repair = not options.no_repair
        outs = [
            pool.submit(located, corpus, part, framework, repair)
            for part in reversed(parts)  # those that take longest come first
            for framework in options.formats
        ]
        return [item.result() for item in outs], [item.result() for item in of_passes]


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
    outs, of_passes = everything(options, corpus)
    cases = judged.read(corpus, outs)
    minutes = (time.perf_counter() - start) / 60
    head = f"{machine()}; {len(cases)} cases, {minutes:.0f} minutes."
    text = f"{head}\n\n{score.report(cases)}\n{score.left_out(corpus, options.part)}"
    if of_passes:
        found = [case for path in of_passes for case in score_passes.read(path)]
        text += f"\n{score_passes.report(found)}"
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
