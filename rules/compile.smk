# A lowered model to machine code by TVM, for one device.
rule compile:
    input:
        artifact=rules.lower.output.artifact,
        record=rules.lower.output.record,
        environment=manifest("tvm"),
    output:
        artifact=f"{STUDY}/compiled/{COMPILED}/{{device}}.so",
        record=f"{STUDY}/compiled/{COMPILED}/{{device}}.so.json",
    log:
        f"{STUDY}/logs/compile/{COMPILED}/{{device}}.log",
    retries: RETRIES
    resources:
        retries_left=retries_left,
    params:
        python=python("tvm"),
        device_target=lambda wildcards: json.dumps(
            config["devices"][wildcards.device]["target"], sort_keys=True
        ),
        limits=limits("compile"),
        code=code_digest("scripts/compile.py", "deltann.compile"),
    message:
        "compile {wildcards.model} ({wildcards.source} to {wildcards.target} by {wildcards.route},"
        " import {wildcards.importer}) at {wildcards.level} for {wildcards.device}"
    shell:
        "{params.python:q} scripts/compile.py --target {params.device_target:q}"
        " --source {input.artifact:q} --source-record {input.record:q}"
        " --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
