"""The commands that make an explanation again, and its smallest failing set a study."""

import json
import shlex
from pathlib import Path

from deltann.cell import UNSCHEDULED
from deltann.explain import SCHEDULE

SNAKEMAKE = (".venv/bin/snakemake", "--cores", "all", "--configfile")


def commands(config: Path, page: Path, schedule: str, minimal: list[str]) -> str:
    """What a user pastes into a shell, in the repository's folder.

    Args:
        config: the study's resolved config, `results/<study>/config.json`.
        page: the explanation.
        schedule: the cell's.
        minimal: the smallest failing set: passes, and the schedule as `SCHEDULE` and its name.
    """
    again = shlex.join([*SNAKEMAKE, str(config), "--force", str(page)])
    text = f"# this page again\n{again}\n"
    if not minimal:
        return text
    passes = [item for item in minimal if not item.startswith(SCHEDULE)]
    schedules = sorted({UNSCHEDULED, schedule if passes != minimal else UNSCHEDULED})
    study = f"{config.parent.name}-suspect"
    changes = f"config/{study}.yaml"
    return text + (
        "\n# a study of the smallest failing set, beside its reference\n"
        f"cat > {shlex.quote(changes)} <<'END'\n"
        f"study: {study}\n"
        f"pass_sets: {{suspect: {json.dumps(passes)}, reference: []}}\n"
        f"schedules: {json.dumps(schedules)}\n"
        "backends: [native, suspect, reference]\n"
        "END\n"
        f"{shlex.join([*SNAKEMAKE, str(config), changes])}\n"
    )
