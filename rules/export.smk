# A model and its weights to the model file of its source framework.
from deltann.cell import UNCONVERTED
from deltann.formats import precisions
from deltann.images import resizers
from deltann.models import SEEDED
from deltann.study import file_checks, grid, layout, model_sources
from deltann.workflow import constraints, resources
from deltann.workflow.code_digest import code_digest

check_config(file_checks.check_models, config)
EXPORTED = layout.model_file("{model}", "{source}", UNCONVERTED, "{suffix}")


def export_files(wildcards):
    """What an export reads: the user's own files, and the images that seeded weights fit."""
    files = model_sources.export_files(config, wildcards.model, wildcards.source)
    if model_sources.weights(config, wildcards.model, wildcards.source) == SEEDED:
        preprocessing = model_sources.sources(config, wildcards.model)[wildcards.source]
        images = layout.prepared(grid.geometry(preprocessing), resizers.DEFAULT)
        files["images"] = [f"{STUDY}/{images}"]
    return files


rule export:
    input:
        unpack(export_files),
        environment=lambda wildcards: layout.manifest(
            model_sources.export_environment(config, wildcards.model, wildcards.source)
        ),
    output:
        artifact=f"{STUDY}/{EXPORTED}",
        record=f"{STUDY}/{layout.record(EXPORTED)}",
    log:
        f"{STUDY}/{layout.log('export/{model}/{source}{suffix}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('export/{model}/{source}{suffix}')}"
    wildcard_constraints:
        suffix=constraints.suffixes(),
    retries: RETRIES
    resources:
        **resources.stage_resources(config, "export"),
    params:
        python=lambda wildcards: layout.interpreter(
            model_sources.export_environment(config, wildcards.model, wildcards.source)
        ),
        module=lambda wildcards: model_sources.model_module(
            config, wildcards.model
        ).__name__.split(".")[-1],
        request=lambda wildcards: model_sources.export_request(
            config, wildcards.model, wildcards.source
        ),
        images=lambda wildcards, input: [f"--images={path}" for path in input.get("images", [])],
        files=lambda wildcards, input: [
            f"--file={path}" for name in ("user_model", "weights") for path in input.get(name, [])
        ],
        seconds=config["limits"]["export"]["seconds"],
        memory_mb=config["limits"]["export"]["memory_mb"],
        code=lambda wildcards: code_digest(
            "scripts/export.py",
            model_sources.model_module(config, wildcards.model).__name__,
            *precisions.modules(wildcards.source),
        ),
    message:
        "Exporting {wildcards.model} from {wildcards.source}"
    shell:
        "{params.python:q} scripts/export.py --module {params.module:q}"
        " --request {params.request:q} {params.images:q} {params.files:q}"
        " --environment {input.environment:q}"
        " --seconds {params.seconds} --memory-mb {params.memory_mb}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
