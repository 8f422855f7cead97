"""Take the repaired file of a route over as the file of a route of its own."""

import argparse
from pathlib import Path

from deltann.execution import cli, stage
from deltann.provenance import records
from deltann.repair.outcomes import NOT_REPAIRED


def main(options: argparse.Namespace) -> None:
    """Copy in a child process, which reads the file."""
    facts = records.read(options.repair)
    repaired = options.repair.with_name(facts["file"]) if facts["file"] else None
    if repaired:
        records.check(repaired, options.repair)
    arguments = {
        "framework": options.framework,
        "outcome": facts["outcome"],
        "refused": " ".join(facts["verdict"]) if facts["outcome"] == NOT_REPAIRED else "",
        "repaired": str(repaired or ""),
        "before": records.read(options.model_file_record).get("details"),
    }
    read = [options.repair, *([repaired] if repaired else [])]
    stage.run_stage("repaired", arguments, options, more_inputs=read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--framework", required=True, help="of the files")
    parser.add_argument("--repair", type=Path, required=True, help="the facts of the repair, JSON")
    stage.arguments(parser)
    cli.run(main, parser)
