# One edge: a model file to the same model in another framework.
def converted(wildcards):
    """The model file that a rule's wildcards name."""
    return routes.step(config, wildcards.model, wildcards.source, wildcards.slug)


def edge(wildcards):
    """The last edge on the way to the file."""
    return converted(wildcards).edges[-1]


rule convert:
    input:
        artifact=lambda wildcards: f"{STUDY}/{converted(wildcards).before.path}",
        record=lambda wildcards: f"{STUDY}/{converted(wildcards).before.path}.json",
        environment=lambda wildcards: manifest(edge(wildcards).environment),
    output:
        artifact=f"{STUDY}/models/{{model}}/{{source}}/{{slug}}{{suffix}}",
        record=f"{STUDY}/models/{{model}}/{{source}}/{{slug}}{{suffix}}.json",
    log:
        f"{STUDY}/logs/convert/{{model}}/{{source}}/{{slug}}{{suffix}}.log",
    wildcard_constraints:
        slug=rf"(?!{UNCONVERTED}\.){SLUG}",
        suffix=SUFFIXES,
    retries: RETRIES
    resources:
        **asked("convert"),
    params:
        python=lambda wildcards: python(edge(wildcards).environment),
        converter=lambda wildcards: edge(wildcards).converter,
        settings=lambda wildcards: edge(wildcards).settings,
        limits=limits("convert"),
        code=lambda wildcards: code_digest(
            "scripts/convert.py", f"deltann.converters.{edge(wildcards).converter}"
        ),
    message:
        "convert {wildcards.model} from {wildcards.source} by {wildcards.slug}"
    shell:
        "{params.python:q} scripts/convert.py --converter {params.converter:q}"
        " --settings {params.settings:q} --model-file {input.artifact:q}"
        " --model-file-record {input.record:q} --environment {input.environment:q}"
        " {params.limits} --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
