# A model file to machine code by TVM: its import, one level's passes, one device's kernels.
COMPILED = "{model}/{source}/{target}/{route}/{importer}/{compiler}/{schedule}/{level}/{device}.so"


def imported(wildcards):
    """The model file that TVM imports."""
    start = wildcards.model, wildcards.source, wildcards.target, wildcards.route
    how = wildcards.importer, wildcards.compiler, wildcards.schedule
    run = *how, wildcards.level, wildcards.device
    return grid.import_step(config, Cell(*start, SOURCE, resizers.DEFAULT, *run))


rule compile:
    input:
        artifact=lambda wildcards: f"{STUDY}/{imported(wildcards).path}",
        record=lambda wildcards: f"{STUDY}/{imported(wildcards).path}.json",
        environment=lambda wildcards: manifest(grid.compilers(config)[wildcards.compiler]),
    output:
        artifact=f"{STUDY}/compiled/{COMPILED}",
        record=f"{STUDY}/compiled/{COMPILED}.json",
        graph=f"{STUDY}/compiled/{COMPILED}.tvmscript",
    log:
        f"{STUDY}/logs/compile/{COMPILED}.log",
    retries: RETRIES
    resources:
        retries_left=retries_left,
    params:
        python=lambda wildcards: python(grid.compilers(config)[wildcards.compiler]),
        framework=lambda wildcards: imported(wildcards).framework,
        passes=lambda wildcards: json.dumps(grid.pass_sets(config)[wildcards.level]),
        device_target=lambda wildcards: json.dumps(
            config["devices"][wildcards.device]["target"], sort_keys=True
        ),
        limits=limits("compile"),
        code=code_digest("scripts/compile.py", "deltann.compile"),
    message:
        "compile {wildcards.model} ({wildcards.source} to {wildcards.target} by {wildcards.route},"
        " import {wildcards.importer}) by {wildcards.compiler} at {wildcards.level}, schedule"
        " {wildcards.schedule}, for {wildcards.device}"
    shell:
        "{params.python:q} scripts/compile.py --framework {params.framework:q}"
        " --passes {params.passes:q} --schedule {wildcards.schedule:q} --target {params.device_target:q}"
        " --source {input.artifact:q} --source-record {input.record:q}"
        " --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q}"
        " --graph {output.graph:q} > {log:q} 2>&1"
