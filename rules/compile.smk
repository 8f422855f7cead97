# A model file to machine code by TVM: its import, one level's passes, one device's kernels.
from deltann.tvm import target_kinds

# Two functions for all of a job's inputs and parameters: see infer.smk.
COMPILED = "{model}/{source}/{target}/{route}/{importer}/{compiler}/{schedule}/{level}/{device}.so"


def database(wildcards):
    """The tuning records that a compilation takes, and their record; none where it isn't tuned."""
    if wildcards["schedule"] != TUNED:
        return {}
    path = f"{STUDY}/tuned/{TUNED_FOR.format(**wildcards)}"
    return {"database": path, "database_record": f"{path}.json"}


def database_options(read):
    """The command-line options with what `database` gives."""
    if not read:
        return []
    return ["--database", read["database"], "--database-record", read["database_record"]]


def read_by_compilation(wildcards):
    """What a compilation reads."""
    artifact = f"{STUDY}/{imported(wildcards).path}"
    return database(wildcards) | {
        "artifact": artifact,
        "record": f"{artifact}.json",
        "environment": manifest(config["compilers"][wildcards.compiler]),
    }


def compilation_of(wildcards):
    """How a file is compiled: the interpreter, the program's options, the digest of its code."""
    return {
        "python": python(config["compilers"][wildcards.compiler]),
        "framework": imported(wildcards).framework,
        "passes": json.dumps(grid.pass_sets(config)[wildcards.level]),
        "target": device_target(wildcards.device),
        "code": code_digest(
            "scripts/compile.py",
            "deltann.stages.compile",
            target_kinds.module(device_of(wildcards)["target"]["kind"]),
        ),
        "database": database_options(database(wildcards)),
    }


rule compile:
    input:
        unpack(read_by_compilation),
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
        run=compilation_of,
        limits=limits("compile"),
    message:
        "compile {wildcards.model} ({wildcards.source} to {wildcards.target} by {wildcards.route},"
        " import {wildcards.importer}) by {wildcards.compiler} at {wildcards.level}, schedule"
        " {wildcards.schedule}, for {wildcards.device}"
    shell:
        "{params.run[python]:q} scripts/compile.py --framework {params.run[framework]:q}"
        " --passes {params.run[passes]:q} --schedule {wildcards.schedule:q} --target {params.run[target]:q}"
        " {params.run[database]:q}"
        " --model-file {input.artifact:q} --model-file-record {input.record:q}"
        " --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q}"
        " --graph {output.graph:q} > {log:q} 2>&1"
