"""The first study of a user's model file: its config proposed, written and run. For `make try`."""

import json
import shlex
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from deltann.errors import StudyError
from deltann.execution import messages
from deltann.formats.descriptions import Description
from deltann.images.collection import LABELS
from deltann.models import user_model
from deltann.provenance import files
from deltann.study import convention_choice, grid, layout, proposal, proposal_text, routes
from deltann.study.convention_choice import Prior
from deltann.study.proposal import Proposed
from deltann.workflow import print_summary, trial_jobs, trial_request
from deltann.workflow.trial_request import Request

# Images that the conventions are tried on, and that the first study takes, at most.
TRIED_IMAGES, STUDIED_IMAGES = 20, 100
SUFFIX = "by the file's suffix"


@dataclass(frozen=True)
class Draft:
    """What is known of the model before its conventions are tried."""

    request: Request
    description: Description
    proposed: dict[str, Proposed]
    channels: int

    def model(self, prior: Prior) -> dict[str, Proposed]:
        """The model's entry with a normalisation."""
        normalisation = convention_choice.as_input(prior, self.channels)
        found = self.proposed
        inside = {key: value for key, value in found.items() if key.startswith("input.")}
        outside = {key: value for key, value in found.items() if key not in inside}
        if self.request.labels:
            outside["class_names"] = Proposed(self.request.labels, "LABELS")
        return inside | normalisation | outside

    def content(self, prior: Prior) -> dict:
        """The config's content."""
        images: dict = {"folder": self.request.images}
        if self.request.image_count > STUDIED_IMAGES:
            images["subset"] = {"count": STUDIED_IMAGES, "seed": 0}
        request = self.request
        return proposal_text.content(
            request.name, request.source, request.model, images, self.model(prior)
        )

    def text(self, prior: Prior) -> str:
        """The config's file."""
        count = self.request.image_count
        some = f"{STUDIED_IMAGES} of the {count} images, for a first look: drop subset for all"
        why = {
            "images": some if count > STUDIED_IMAGES else f"IMAGES: {count} images",
            "source": "a SavedModel's folder" if Path(self.request.model).is_dir() else SUFFIX,
        }
        return proposal_text.text(self.content(prior), self.model(prior), self.description, why)


def run(request: Request) -> None:
    """Propose a config, write it, run a first study and print its summary.

    Raises:
        StudyError: nothing can be proposed for the file, or a job failed.
    """
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        scratch = Path(folder)
        draft = _draft(request, scratch)
        prior = convention_choice.prior(draft.description, request.source, draft.channels)
        chosen = _try_conventions(draft, prior, scratch)
    path = Path(request.config)
    files.write_text(path, draft.text(chosen))
    config = trial_request.resolve(draft.content(chosen), str(path), request.name)
    cells = grid.cells(config)
    print(f"\nWritten: {path}\n\nA first study of {len(cells)} cells:", flush=True)
    study = layout.study(request.name)
    trial_jobs.snakemake([f"{study}/{layout.SUMMARY}"], str(path), progress=True)
    print(print_summary.answer(Path(study)))
    print("\n".join(["", "Next", *_next(request, config)]))


def _draft(request: Request, scratch: Path) -> Draft:
    """Ask the file what it says of itself, and propose an entry without a normalisation."""
    environment = user_model.ENVIRONMENTS[request.source]
    print(f"Looking at {request.model}", flush=True)
    manifests = [layout.manifest(name) for name in dict.fromkeys([environment, "images"])]
    if not all(Path(manifest).exists() for manifest in manifests):
        print("Building the environments that this needs, which takes minutes once", flush=True)
    trial_jobs.snakemake(manifests)
    question = ["--source", request.source, "--file", request.model]
    try:
        said = trial_jobs.ask("describe", environment, question, scratch)
        description = Description.from_json(said)
        proposed = proposal.propose(description, request.source, request.output)
        count = proposal.channels(description, request.source)
    except StudyError as error:
        raise StudyError(f"MODEL={request.model!r}: {error}") from error
    for line in proposal_text.said(description):
        print(line)
    return Draft(request, description, proposed, count)


def _try_conventions(draft: Draft, prior: Prior, scratch: Path) -> Prior:
    """Run the model on some images in each convention, and choose one."""
    request = draft.request
    path = scratch / f"{request.name}.yaml"
    content = draft.content(prior) | {"study": request.name}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    config = trial_request.resolve(content, str(path), request.name)
    trial_request.check_images(config)
    cell = grid.cells(config)[0]
    study = layout.study(request.name)
    exported = f"{study}/{routes.native_step(config, cell).path}"
    images = f"{study}/{grid.prepared_images(config, cell)}"
    trial_jobs.snakemake([images, exported], str(path))
    record = files.read_json(Path(layout.record(exported)))
    if record["status"] == "failed":
        files.write_text(Path(request.config), draft.text(prior))
        raise StudyError(
            f"{messages.bounded(record['error']['message'])}. {request.config} has what was"
            f" proposed: correct it, and run {_study_command(request)}"
        )
    preprocessing = json.dumps(asdict(grid.preprocessing(config, cell)))
    question = ["--source", request.source, "--model-file", exported]
    question += ["--preprocessing", preprocessing, "--images", images]
    question += ["--count", str(TRIED_IMAGES)]
    trial = trial_jobs.ask("try_conventions", grid.environment(config, cell), question, scratch)
    chosen = convention_choice.decide(prior, trial, draft.channels)
    tried = len(trial["true_labels"])
    print(f"\nThe conventions, tried on {tried} images in the model's own runtime:")
    print("\n".join(convention_choice.lines(trial, chosen)))
    if not convention_choice.right(trial, next(iter(trial["labels"]))):
        print(f"The images have no labels: with {LABELS} (image,label) in IMAGES, they decide")
    if warning := convention_choice.warning(trial, chosen):
        print(warning)
    print(f"Proposed: {chosen.words}, because {chosen.reason}", flush=True)
    return chosen


def _next(request: Request, config: dict) -> list[str]:
    """Commands that can be pasted."""
    compiled = [cell for cell in grid.cells(config) if cell.compiled]
    page = f"{layout.study(request.name)}/{layout.explanation(compiled[-1], '.html')}"
    explain = [".venv/bin/snakemake", "--cores", "all", page, "--configfile", request.config]
    return [
        f"- Read the comments in {request.config}, and correct what isn't so",
        "- For figures, a report, and a page to explore every cell and image in:",
        f"    {_study_command(request)}",
        "- For the stage, pass and kernel by which the compiled model leaves its own runtime:",
        f"    {shlex.join(explain)}",
    ]


def _study_command(request: Request) -> str:
    """`make study` for the config; make and the shell each read the name."""
    quoted = shlex.quote(request.config)
    return f"make study CONFIG={quoted if quoted == request.config else shlex.quote(quoted)}"
