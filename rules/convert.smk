# One converter edge: a model file to the same model in another framework.
def edge(wildcards):
    """The model file that a rule's wildcards name."""
    return Step.parse(wildcards.model, wildcards.source, wildcards.slug)


def converter(wildcards):
    """The last converter on the way to the file."""
    return edge(wildcards).route[-1]


rule convert:
    input:
        artifact=lambda wildcards: f"{STUDY}/{edge(wildcards).before.path}",
        record=lambda wildcards: f"{STUDY}/{edge(wildcards).before.path}.json",
        environment=lambda wildcards: manifest(edge(wildcards).environment),
    output:
        artifact=f"{STUDY}/models/{{model}}/{{source}}/{{slug}}{{suffix}}",
        record=f"{STUDY}/models/{{model}}/{{source}}/{{slug}}{{suffix}}.json",
    log:
        f"{STUDY}/logs/convert/{{model}}/{{source}}/{{slug}}{{suffix}}.log",
    wildcard_constraints:
        slug=rf"(?!{grid.EXPORT}\.)[a-z0-9_+]+",
        suffix=SUFFIXES,
    retries: RETRIES
    resources:
        retries_left=retries_left,
    params:
        python=lambda wildcards: python(edge(wildcards).environment),
        converter=converter,
        settings=lambda wildcards: json.dumps(
            config.get("converters", {}).get(converter(wildcards), {}), sort_keys=True
        ),
        limits=limits("convert"),
        code=lambda wildcards: code_digest(
            "scripts/convert.py", f"deltann.converters.{converter(wildcards)}"
        ),
    message:
        "convert {wildcards.model} by {wildcards.slug}"
    shell:
        "{params.python:q} scripts/convert.py --converter {params.converter:q}"
        " --settings {params.settings:q} --source {input.artifact:q}"
        " --source-record {input.record:q} --environment {input.environment:q}"
        " {params.limits} --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
