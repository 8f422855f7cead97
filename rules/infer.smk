# One cell's model on every image: the prediction file.
import os


def model_file(wildcards):
    """The file that a cell's runner loads."""
    cell = cell_of(wildcards)
    if cell.backend == grid.NATIVE:
        return f"{STUDY}/{grid.native_step(config, cell).path}"
    path = f"{cell.model}/{cell.source}/{cell.target}/{cell.backend}/{cell.device}.so"
    return f"{STUDY}/compiled/{path}"


def runner(wildcards):
    """The runner of a cell."""
    return grid.runner(cell_of(wildcards))


rule infer:
    input:
        artifact=model_file,
        record=lambda wildcards: f"{model_file(wildcards)}.json",
        images=f"{STUDY}/inputs/{{model}}.nc",
        environment=lambda wildcards: manifest(runners.get(runner(wildcards)).ENVIRONMENT),
    output:
        f"{STUDY}/predictions/{{model}}/{{source}}/{{target}}/{{backend}}/{{device}}.nc",
    log:
        f"{STUDY}/logs/infer/{{model}}/{{source}}/{{target}}/{{backend}}/{{device}}.log",
    retries: RETRIES
    # a timed job holds all of the machine; Snakemake lowers this to --cores
    threads: os.cpu_count()
    resources:
        retries_left=retries_left,
    params:
        python=lambda wildcards: python(runners.get(runner(wildcards)).ENVIRONMENT),
        runner=runner,
        cell=lambda wildcards: str(cell_of(wildcards)),
        device_threads=lambda wildcards: config["devices"][wildcards.device].get("threads", 0),
        repeats=config["timing"]["repeats"],
        limits=limits("infer"),
        code=lambda wildcards: code_digest(
            "scripts/infer.py",
            "deltann.infer",
            f"deltann.runners.{runner(wildcards)}",
            grid.model_module(wildcards.model),
        ),
    message:
        "infer {wildcards.model} ({wildcards.source} to {wildcards.target})"
        " by {wildcards.backend} on {wildcards.device}"
    shell:
        "{params.python:q} scripts/infer.py --cell {params.cell:q} --runner {params.runner:q}"
        " --source {input.artifact:q} --source-record {input.record:q}"
        " --images {input.images:q} --threads {params.device_threads}"
        " --repeats {params.repeats} --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left} --output {output:q} > {log:q} 2>&1"
