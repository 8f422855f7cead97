# A model file to machine code by TVM: its import, one level's passes, one device's kernels.
COMPILED = "{model}/{source}/{target}/{route}/{importer}/{compiler}/{schedule}/{level}/{device}.so"


def database(wildcards):
    """The tuning records that a compilation takes, and their record; none where it isn't tuned."""
    if wildcards["schedule"] != TUNED:
        return {}
    path = f"{STUDY}/tuned/{TUNED_FOR.format(**wildcards)}"
    return {"database": path, "database_record": f"{path}.json"}


def database_options(wildcards, input):
    """The command-line options with what `database` gives."""
    if wildcards.schedule != TUNED:
        return []
    return ["--database", input.database, "--database-record", input.database_record]


rule compile:
    input:
        unpack(database),
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
        **asked("compile"),
        **placed(timed=False),
    params:
        python=lambda wildcards: python(grid.compilers(config)[wildcards.compiler]),
        framework=lambda wildcards: imported(wildcards).framework,
        passes=lambda wildcards: json.dumps(grid.pass_sets(config)[wildcards.level]),
        device_target=lambda wildcards: device_target(wildcards.device),
        database=lambda wildcards, input: database_options(wildcards, input),
        limits=limits("compile"),
        code=code_digest("scripts/compile.py", "deltann.compile"),
    message:
        "compile {wildcards.model} ({wildcards.source} to {wildcards.target} by {wildcards.route},"
        " import {wildcards.importer}) by {wildcards.compiler} at {wildcards.level}, schedule"
        " {wildcards.schedule}, for {wildcards.device}"
    shell:
        "{params.python:q} scripts/compile.py --framework {params.framework:q}"
        " --passes {params.passes:q} --schedule {wildcards.schedule:q} --target {params.device_target:q}"
        " {params.database:q}"
        " --source {input.artifact:q} --source-record {input.record:q}"
        " --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q}"
        " --graph {output.graph:q} > {log:q} 2>&1"
