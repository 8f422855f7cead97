# Pinned lists to environments, each with a manifest of what was really installed.
import sys

from deltann.execution import environment


localrules:
    environment,  # nodes of a cluster may have no network


ENVIRONMENTS = sorted(path.stem for path in Path("envs").glob("*.txt") if path.stem != "driver")


# as parameters, so that a changed pin reruns the rule and a changed comment doesn't
try:
    PINS = {name: environment.pins(Path(f"envs/{name}.txt")) for name in ENVIRONMENTS}
except StudyError as error:
    raise WorkflowError(str(error)) from None


rule environment:
    output:
        "results/environments/{environment}.json",
    log:
        "results/logs/environments/{environment}.log",
    wildcard_constraints:
        environment=grid.alternatives(ENVIRONMENTS),
    params:
        pins=lambda wildcards: PINS[wildcards.environment],
        code=code_digest("scripts/environment.py"),
        python=sys.executable,
    message:
        "environment {wildcards.environment}"
    shell:
        "{params.python:q} scripts/environment.py --folder .envs/{wildcards.environment}"
        " --output {output:q} --pins {params.pins:q} > {log:q} 2>&1"
