# The repaired file of a route, as the file of a route that ends in `repaired`.
from deltann import runners
from deltann.formats import precisions
from deltann.study import layout, routes
from deltann.workflow import constraints, resources
from deltann.workflow.code_digest import code_digest

OF_ROUTE = layout.model_file("{model}", "{source}", "{slug}", "{suffix}")


def repaired_step(wildcards):
    """The file that a job makes."""
    return routes.step(config, wildcards.model, wildcards.source, wildcards.slug)


def reader(wildcards):
    """The environment that reads files of its framework."""
    return runners.get(repaired_step(wildcards).framework).ENVIRONMENT


rule repaired:
    input:
        artifact=lambda wildcards: f"{STUDY}/{repaired_step(wildcards).before.path}",
        record=lambda wildcards: f"{STUDY}/{layout.record(repaired_step(wildcards).before.path)}",
        repair=lambda wildcards: f"{STUDY}/{layout.repair(REPAIRED.of_route(wildcards), '.json')}",
        environment=lambda wildcards: layout.manifest(reader(wildcards)),
    output:
        artifact=f"{STUDY}/{OF_ROUTE}",
        record=f"{STUDY}/{layout.record(OF_ROUTE)}",
    log:
        f"{STUDY}/{layout.log('repaired/{model}/{source}/{slug}{suffix}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('repaired/{model}/{source}/{slug}{suffix}')}"
    wildcard_constraints:
        slug=rf"{constraints.ROUTE}\+{routes.REPAIRED}",
        suffix=constraints.suffixes(),
    retries: RETRIES
    resources:
        **resources.stage_resources(config, "convert"),
    params:
        python=lambda wildcards: layout.interpreter(reader(wildcards)),
        framework=lambda wildcards: repaired_step(wildcards).framework,
        seconds=config["limits"]["convert"]["seconds"],
        memory_mb=config["limits"]["convert"]["memory_mb"],
        code=lambda wildcards: code_digest(
            "scripts/repaired.py",
            "deltann.stages.repaired",
            *precisions.modules(repaired_step(wildcards).framework),
        ),
    message:
        "Taking over the repaired file of {wildcards.model} from {wildcards.source} by {wildcards.slug}"
    shell:
        "{params.python:q} scripts/repaired.py --framework {params.framework:q}"
        " --repair {input.repair:q} --model-file {input.artifact:q}"
        " --model-file-record {input.record:q} --environment {input.environment:q}"
        " --seconds {params.seconds} --memory-mb {params.memory_mb}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
