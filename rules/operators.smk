# Models of one operator each, through every converter, importer, quantizer and level: the study of
# a config with the key `operators`.
import json

from deltann import runners
from deltann.cell import UNCONVERTED
from deltann.study import grid, layout, operators
from deltann.workflow import constraints
from deltann.workflow.code_digest import code_digest

SWEEP = config[operators.KEY]
OPERATOR_WAYS = list(operators.ways(config))
OPERATOR_MODELS = layout.operator_models("{source}", "{route}")
OPERATOR_ANSWERS = layout.operator_answers("{source}", "{route}", "{backend}")


def operator_way(wildcards):
    """The way that a job makes, or whose models it reads."""
    return operators.way(config, wildcards.source, wildcards.route)


def operator_bundle_before(wildcards):
    """What an edge reads: the bundle before it, and its record."""
    if wildcards.route == UNCONVERTED:
        return {}
    edges = wildcards.route.split("+")
    path = layout.operator_models(wildcards.source, "+".join(edges[:-1]) or UNCONVERTED)
    return {"before": f"{STUDY}/{path}", "record": f"{STUDY}/{layout.record(path)}"}


def operator_options(wildcards):
    """The options of `operator_models.py` that a source has, or an edge."""
    if wildcards.route == UNCONVERTED:
        return ["--every", str(SWEEP["every"]), "--kinds", *SWEEP.get("kinds", [])]
    way = operator_way(wildcards)
    edge, before = way.edges[-1], operators.Way(way.source, way.edges[:-1])
    described = {"name": edge.name, "converter": edge.converter}
    described["settings"] = json.loads(edge.settings)
    suffixes = [runners.get(item.framework).SUFFIX for item in (before, way)]
    return ["--edge", json.dumps(described, sort_keys=True), "--suffixes", *suffixes]


def operator_before(wildcards, input):
    """The options with the bundle that an edge reads."""
    if wildcards.route == UNCONVERTED:
        return []
    return ["--before", input.before, "--before-record", input.record]


def operator_backend(wildcards):
    """What answers."""
    return operators.backend(config, operator_way(wildcards).framework, wildcards.backend)


rule operator_models:
    input:
        unpack(operator_bundle_before),
        environment=lambda wildcards: layout.manifest(
            operators.environment(config, wildcards.source, wildcards.route)
        ),
    output:
        bundle=f"{STUDY}/{OPERATOR_MODELS}",
        record=f"{STUDY}/{layout.record(OPERATOR_MODELS)}",
    log:
        f"{STUDY}/{layout.log('operator_models/{source}/{route}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('operator_models/{source}/{route}')}"
    wildcard_constraints:
        source=grid.alternatives(list(SWEEP["routes"])),
        route=constraints.ROUTE,
    params:
        python=lambda wildcards: layout.interpreter(
            operators.environment(config, wildcards.source, wildcards.route)
        ),
        # Apart: Snakemake takes no notice of changes in parameters that depend on inputs.
        options=operator_options,
        before=operator_before,
        seconds=SWEEP["seconds"],
        code=lambda wildcards: code_digest(
            "scripts/operator_models.py",
            "deltann.operators.worker",
            f"deltann.operators.{wildcards.source}_models",
            *(
                f"deltann.converters.{edge.converter}"
                for edge in operator_way(wildcards).edges[-1:]
            ),
        ),
    message:
        "Making the operators of {wildcards.source} by {wildcards.route}"
    shell:
        "{params.python:q} scripts/operator_models.py --source {wildcards.source:q}"
        " {params.options:q} {params.before:q} --seconds {params.seconds}"
        " --environment {input.environment:q}"
        " --output {output.bundle:q} --record {output.record:q} > {log:q} 2>&1"


rule operator_answers:
    input:
        models=f"{STUDY}/{OPERATOR_MODELS}",
        record=f"{STUDY}/{layout.record(OPERATOR_MODELS)}",
        environment=lambda wildcards: layout.manifest(operator_backend(wildcards)["environment"]),
    output:
        answers=f"{STUDY}/{OPERATOR_ANSWERS}",
        record=f"{STUDY}/{layout.record(OPERATOR_ANSWERS)}",
    log:
        f"{STUDY}/{layout.log('operator_answers/{source}/{route}/{backend}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('operator_answers/{source}/{route}/{backend}')}"
    wildcard_constraints:
        source=grid.alternatives(list(SWEEP["routes"])),
        route=constraints.ROUTE,
    params:
        python=lambda wildcards: layout.interpreter(operator_backend(wildcards)["environment"]),
        backend=lambda wildcards: json.dumps(operator_backend(wildcards), sort_keys=True),
        suffix=lambda wildcards: runners.get(operator_way(wildcards).framework).SUFFIX,
        seconds=SWEEP["seconds"],
        code=lambda wildcards: code_digest(
            "scripts/operator_answers.py",
            "deltann.operators.worker",
            *(
                ["deltann.stages.compile", "deltann.runners.tvm"]
                if operator_backend(wildcards)["task"] == "compiled"
                else [f"deltann.runners.{operator_way(wildcards).framework}"]
            ),
        ),
    message:
        "Asking {wildcards.backend} for the operators of {wildcards.source} by {wildcards.route}"
    shell:
        "{params.python:q} scripts/operator_answers.py --models {input.models:q}"
        " --models-record {input.record:q} --backend {params.backend:q}"
        " --suffix {params.suffix:q} --seconds {params.seconds}"
        " --environment {input.environment:q}"
        " --output {output.answers:q} --record {output.record:q} > {log:q} 2>&1"


OPERATOR_REFERENCES = {
    source: layout.operator_models(source, UNCONVERTED) for source in SWEEP["routes"]
}


rule operator_matrix:
    input:
        references=[f"{STUDY}/{path}" for path in OPERATOR_REFERENCES.values()],
        answers=[f"{STUDY}/{path}" for path in operators.answers(config)],
        environment=layout.manifest("analysis"),
    output:
        matrix=f"{STUDY}/{layout.OPERATOR_MATRIX}",
        counts=f"{STUDY}/{layout.OPERATOR_COUNTS}",
        summary=f"{STUDY}/{layout.OPERATOR_SUMMARY}",
        pdf=report(
            f"{STUDY}/{layout.operator_figure('.pdf')}",
            caption="../report/operators.rst",
            category="Answers",
            labels={"result": "Figure: Which operators does a tool get wrong?"},
        ),
        png=f"{STUDY}/{layout.operator_figure('.png')}",
        record=f"{STUDY}/{layout.OPERATOR_RECORD}",
    log:
        f"{STUDY}/{layout.log('operator_matrix')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('operator_matrix')}"
    params:
        python=layout.interpreter("analysis"),
        folder=STUDY,
        ways=operators.described(config),
        references=json.dumps(OPERATOR_REFERENCES),
        code=code_digest("scripts/operator_matrix.py"),
    message:
        "Judging the answers of operators"
    shell:
        "{params.python:q} scripts/operator_matrix.py --folder {params.folder:q}"
        " --ways {params.ways:q} --references {params.references:q}"
        " --environment {input.environment:q} --output {output.matrix:q}"
        " --counts {output.counts:q} --summary {output.summary:q} --pdf {output.pdf:q}"
        " --png {output.png:q} --record {output.record:q} > {log:q} 2>&1"
