# A model file to the same model in another framework: the last edge of a route.
from deltann import converters
from deltann.cell import UNCONVERTED
from deltann.formats import precisions
from deltann.study import grid, layout, preparations, routes
from deltann.workflow import constraints, resources
from deltann.workflow.code_digest import code_digest

CONVERTED = layout.model_file("{model}", "{source}", "{slug}", "{suffix}")


def converted(wildcards):
    """The model file that a job makes."""
    return routes.step(config, wildcards.model, wildcards.source, wildcards.slug)


def last_edge(wildcards):
    """The edge that makes it."""
    return converted(wildcards).edges[-1]


def calibration_images(wildcards):
    """The calibration images, if the last converter takes any: those that fit the model."""
    if not converters.calibrates(last_edge(wildcards).converter):
        return {}
    preprocessing = preparations.native(config, wildcards.model, wildcards.source)
    return {"calibration": f"{STUDY}/{layout.calibration(grid.geometry(preprocessing))}"}


def calibration_options(wildcards):
    """The options by which a converter gets them.

    Not from `input`: Snakemake doesn't see a change of parameters that depend on it.
    """
    images = calibration_images(wildcards)
    if not images:
        return []
    preprocessing = preparations.native(config, wildcards.model, wildcards.source)
    return [
        f"--calibration={images['calibration']}",
        f"--preprocessing={grid.to_json(preprocessing)}",
    ]


rule convert:
    input:
        unpack(calibration_images),
        artifact=lambda wildcards: f"{STUDY}/{converted(wildcards).before.path}",
        record=lambda wildcards: f"{STUDY}/{layout.record(converted(wildcards).before.path)}",
        environment=lambda wildcards: layout.manifest(last_edge(wildcards).environment),
    output:
        artifact=f"{STUDY}/{CONVERTED}",
        record=f"{STUDY}/{layout.record(CONVERTED)}",
    log:
        f"{STUDY}/{layout.log('convert/{model}/{source}/{slug}{suffix}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('convert/{model}/{source}/{slug}{suffix}')}"
    wildcard_constraints:
        slug=rf"(?!{UNCONVERTED}\.)(?![a-z0-9_+]*\+{routes.REPAIRED}\.){constraints.ROUTE}",
        suffix=constraints.suffixes(),
    retries: RETRIES
    resources:
        **resources.stage_resources(config, "convert"),
    params:
        python=lambda wildcards: layout.interpreter(last_edge(wildcards).environment),
        edge=lambda wildcards: last_edge(wildcards).name,
        converter=lambda wildcards: last_edge(wildcards).converter,
        calibration=calibration_options,
        settings=lambda wildcards: last_edge(wildcards).settings,
        seconds=config["limits"]["convert"]["seconds"],
        memory_mb=config["limits"]["convert"]["memory_mb"],
        code=lambda wildcards: code_digest(
            "scripts/convert.py",
            f"deltann.converters.{last_edge(wildcards).converter}",
            *precisions.modules(converted(wildcards).framework),
        ),
    message:
        "Converting {wildcards.model} from {wildcards.source} by {wildcards.slug}"
    shell:
        "{params.python:q} scripts/convert.py --edge {params.edge:q}"
        " --converter {params.converter:q} --settings {params.settings:q}"
        " {params.calibration:q} --model-file {input.artifact:q}"
        " --model-file-record {input.record:q} --environment {input.environment:q}"
        " --seconds {params.seconds} --memory-mb {params.memory_mb}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
