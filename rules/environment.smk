# Pinned lists to environments, each with a manifest of what was really installed.
from pathlib import Path

from deltann.execution import environment
from deltann.study import grid, layout
from deltann.workflow.code_digest import code_digest
from deltann.workflow.errors import raise_as_workflow_error


localrules:
    environment,  # nodes of a cluster may have no network


# The pins are parameters: a changed pin reruns the rule, a changed comment doesn't.
PINS = {
    path.stem: raise_as_workflow_error(environment.pins, path)
    for path in sorted(Path("envs").glob("*.txt"))
    if path.stem != "driver"
}


rule environment:
    output:
        layout.manifest("{environment}"),
    log:
        layout.shared_log("environments/{environment}"),
    benchmark:
        layout.shared_benchmark("environments/{environment}")
    wildcard_constraints:
        environment=grid.alternatives(list(PINS)),
    params:
        folder=layout.environment_folder("{environment}"),
        pins=lambda wildcards: PINS[wildcards.environment],
        code=code_digest("scripts/environment.py"),
    message:
        "Building the environment {wildcards.environment}"
    shell:
        "{DRIVER_PYTHON:q} scripts/environment.py --folder {params.folder:q}"
        " --output {output:q} --pins {params.pins:q} > {log:q} 2>&1"
