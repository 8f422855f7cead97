# A model file to TVM's kernels, by the graph passes of one level; the same for every device.
def imported(wildcards):
    """The model file that TVM imports."""
    cell = Cell(wildcards.model, wildcards.source, wildcards.target, wildcards.level, "")
    return grid.import_step(config, cell)


rule lower:
    input:
        artifact=lambda wildcards: f"{STUDY}/{imported(wildcards).path}",
        record=lambda wildcards: f"{STUDY}/{imported(wildcards).path}.json",
        environment=manifest("tvm"),
    output:
        artifact=f"{STUDY}/lowered/{{model}}/{{source}}/{{target}}/{{level}}.relax",
        record=f"{STUDY}/lowered/{{model}}/{{source}}/{{target}}/{{level}}.relax.json",
    log:
        f"{STUDY}/logs/lower/{{model}}/{{source}}/{{target}}/{{level}}.log",
    retries: RETRIES
    resources:
        retries_left=retries_left,
    params:
        python=python("tvm"),
        framework=lambda wildcards: imported(wildcards).framework,
        limits=limits("lower"),
        code=code_digest("scripts/lower.py", "deltann.lower"),
    message:
        "lower {wildcards.model} ({wildcards.source} to {wildcards.target}) at {wildcards.level}"
    shell:
        "{params.python:q} scripts/lower.py --framework {params.framework:q}"
        " --level {wildcards.level:q}"
        " --source {input.artifact:q} --source-record {input.record:q}"
        " --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
