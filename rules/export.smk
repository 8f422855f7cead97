# Weights to the native model file of a source.
hold(file_checks.check_models, config)


def native_environment(wildcards):
    """The environment that makes the file."""
    return model_sources.export_environment(config, wildcards.model, wildcards.source)


def model_module(wildcards):
    """The dotted name of the module that has the model."""
    return model_sources.model_module(config, wildcards.model).__name__


def export_files(wildcards):
    """What an export reads: the user's own files, and the images that made-up weights fit."""
    found = model_sources.export_files(config, wildcards.model, wildcards.source)
    if model_sources.weights(config, wildcards.model, wildcards.source) == SEEDED:
        how = model_sources.sources(config, wildcards.model)[wildcards.source]
        found["images"] = [f"{STUDY}/inputs/{grid.geometry(how)}/{resizers.DEFAULT}.nc"]
    return found


rule export:
    input:
        unpack(export_files),
        environment=lambda wildcards: manifest(native_environment(wildcards)),
    output:
        artifact=f"{STUDY}/models/{{model}}/{{source}}/{UNCONVERTED}{{suffix}}",
        record=f"{STUDY}/models/{{model}}/{{source}}/{UNCONVERTED}{{suffix}}.json",
    log:
        f"{STUDY}/logs/export/{{model}}/{{source}}{{suffix}}.log",
    wildcard_constraints:
        suffix=SUFFIXES,
    retries: RETRIES
    resources:
        **asked("export"),
    params:
        python=lambda wildcards: python(native_environment(wildcards)),
        request=lambda wildcards: model_sources.export_request(
            config, wildcards.model, wildcards.source
        ),
        images=lambda wildcards, input: [f"--images={item}" for item in input.get("images", [])],
        limits=limits("export"),
        module=lambda wildcards: model_module(wildcards).split(".")[-1],
        code=lambda wildcards: code_digest("scripts/export.py", model_module(wildcards)),
    message:
        "export {wildcards.model} from {wildcards.source}"
    shell:
        "{params.python:q} scripts/export.py --module {params.module:q}"
        " --request {params.request:q} {params.images:q}"
        " --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
