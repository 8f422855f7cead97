# A model file to TVM's kernels, by the graph passes of one level; the same for every device.
COMPILED = "{model}/{source}/{target}/{route}/{importer}/{level}"


def imported(wildcards):
    """The model file that TVM imports."""
    start = wildcards.model, wildcards.source, wildcards.target, wildcards.route
    cell = Cell(*start, SOURCE, resizers.DEFAULT, wildcards.importer, wildcards.level, "")
    return grid.import_step(config, cell)


rule lower:
    input:
        artifact=lambda wildcards: f"{STUDY}/{imported(wildcards).path}",
        record=lambda wildcards: f"{STUDY}/{imported(wildcards).path}.json",
        environment=manifest("tvm"),
    output:
        artifact=f"{STUDY}/lowered/{COMPILED}.relax",
        record=f"{STUDY}/lowered/{COMPILED}.relax.json",
    log:
        f"{STUDY}/logs/lower/{COMPILED}.log",
    retries: RETRIES
    resources:
        retries_left=retries_left,
    params:
        python=python("tvm"),
        framework=lambda wildcards: imported(wildcards).framework,
        limits=limits("lower"),
        code=code_digest("scripts/lower.py", "deltann.lower"),
    message:
        "lower {wildcards.model} ({wildcards.source} to {wildcards.target} by {wildcards.route},"
        " import {wildcards.importer}) at {wildcards.level}"
    shell:
        "{params.python:q} scripts/lower.py --framework {params.framework:q}"
        " --level {wildcards.level:q}"
        " --source {input.artifact:q} --source-record {input.record:q}"
        " --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
