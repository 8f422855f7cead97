# Weights to the native model file of a source.
rule export:
    input:
        lambda wildcards: manifest(grid.Step(wildcards.model, wildcards.source, ()).environment),
    output:
        artifact=f"{STUDY}/models/{{model}}/{{source}}/{grid.EXPORT}{{suffix}}",
        record=f"{STUDY}/models/{{model}}/{{source}}/{grid.EXPORT}{{suffix}}.json",
    log:
        f"{STUDY}/logs/export/{{model}}/{{source}}{{suffix}}.log",
    wildcard_constraints:
        suffix=SUFFIXES,
    retries: RETRIES
    resources:
        retries_left=retries_left,
    params:
        python=lambda wildcards: python(
            grid.Step(wildcards.model, wildcards.source, ()).environment
        ),
        limits=limits("export"),
        code=lambda wildcards: code_digest("scripts/export.py", grid.model_module(wildcards.model)),
    message:
        "export {wildcards.model} from {wildcards.source}"
    shell:
        "{params.python:q} scripts/export.py --model {wildcards.model:q}"
        " --environment {input:q} {params.limits} --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
