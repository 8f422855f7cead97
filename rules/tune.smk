# The choices of the schedules measured on a device, kernel by kernel: a database of its own.
hold(file_checks.check_database, config)
TUNED_FOR = "{model}/{source}/{target}/{route}/{importer}/{compiler}/{level}/{device}.tar"


rule tune:
    input:
        artifact=lambda wildcards: f"{STUDY}/{imported(wildcards).path}",
        record=lambda wildcards: f"{STUDY}/{imported(wildcards).path}.json",
        environment=lambda wildcards: manifest(config["compilers"][wildcards.compiler]),
        known=config["tuning"].get("database", []),
    output:
        artifact=f"{STUDY}/tuned/{TUNED_FOR}",
        record=f"{STUDY}/tuned/{TUNED_FOR}.json",
    log:
        f"{STUDY}/logs/tune/{TUNED_FOR}.log",
    retries: RETRIES
    # a timed job holds all of the machine; Snakemake lowers this to --cores, and on a cluster
    # cpus_per_task stands for it
    threads: os.cpu_count()
    resources:
        **asked("tune"),
        **on_device(),
    params:
        python=lambda wildcards: python(config["compilers"][wildcards.compiler]),
        framework=lambda wildcards: imported(wildcards).framework,
        passes=lambda wildcards: json.dumps(grid.pass_sets(config)[wildcards.level]),
        device_target=lambda wildcards: device_target(wildcards.device),
        device_threads=lambda wildcards: config["devices"][wildcards.device].get("threads", 0),
        trials=config["tuning"]["trials"],
        known=lambda wildcards, input: ["--known", input.known] if input.known else [],
        limits=limits("tune"),
        code=lambda wildcards: code_digest(
            "scripts/tune.py",
            "deltann.stages.tune",
            target_kinds.module(device_of(wildcards)["target"]["kind"]),
        ),
    message:
        "tune {wildcards.model} ({wildcards.source} to {wildcards.target} by {wildcards.route},"
        " import {wildcards.importer}) by {wildcards.compiler} at {wildcards.level} for"
        " {wildcards.device}"
    shell:
        "{params.python:q} scripts/tune.py --framework {params.framework:q}"
        " --passes {params.passes:q} --target {params.device_target:q}"
        " --threads {params.device_threads} --trials {params.trials} {params.known:q}"
        " --model-file {input.artifact:q} --model-file-record {input.record:q}"
        " --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
