# Photographs: fetched unless they are in a folder, listed, and prepared: one uint8 array for each
# geometry and resizer.
from pathlib import Path

from deltann.images import resizers
from deltann.images.collection import LABELS, list_images, scan_folder, select
from deltann.study import file_checks, layout, model_sources
from deltann.workflow import constraints, inputs
from deltann.workflow.code_digest import code_digest

check_config(file_checks.check_images, config)
SUBSET = config["images"].get("subset", {})

if "folder" in config["images"]:
    IMAGES = config["images"]["folder"]
    FETCHED_IMAGES = []
    # Every selected file is an input, so that an added, changed or lost image is noticed.
    COLLECTION = scan_folder(Path(IMAGES))
    IMAGE_FILES = [
        str(Path(IMAGES, name))
        for name in select(list_images(COLLECTION), SUBSET, COLLECTION.where)
        + ([LABELS] if LABELS in COLLECTION.files else [])
    ]
else:
    ORIGIN = "package" if "package" in config["images"] else "url"
    IMAGES = layout.fetched_images(
        config["images"]["package"].replace("==", "-") + ".whl"
        if ORIGIN == "package"
        else config["images"]["sha256"] + ".zip"
    )
    FETCHED_IMAGES = IMAGE_FILES = [IMAGES]

    localrules:
        fetch_images,  # nodes of a cluster may have no network

    rule fetch_images:
        output:
            IMAGES,
        log:
            layout.shared_log(f"images/{Path(IMAGES).stem}"),
        benchmark:
            layout.shared_benchmark(f"images/{Path(IMAGES).stem}")
        params:
            # a function, as Snakemake takes braces in a text for wildcards
            origin=lambda wildcards: f"--{ORIGIN}={config['images'][ORIGIN]}",
            sha256=config["images"]["sha256"],
            code=code_digest("scripts/fetch_images.py"),
        message:
            "Fetching the photographs"
        shell:
            "{DRIVER_PYTHON:q} scripts/fetch_images.py {params.origin:q}"
            " --sha256 {params.sha256} --output {output:q} > {log:q} 2>&1"


rule photographs:
    input:
        images=IMAGE_FILES,
        listed=SUBSET.get("list", []),
        class_names=inputs.class_names_file(config),
        environment=layout.manifest("images"),
    output:
        photographs=f"{STUDY}/{layout.PHOTOGRAPHS}",
        record=f"{STUDY}/{layout.PHOTOGRAPHS_RECORD}",
    log:
        f"{STUDY}/{layout.log('photographs')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('photographs')}"
    params:
        python=layout.interpreter("images"),
        images=IMAGES,
        subset=[f"--{key}={value}" for key, value in sorted(SUBSET.items())],
        classes=min(
            preprocessing.classes
            for model in model_sources.model_names(config)
            for preprocessing in model_sources.sources(config, model).values()
        ),
        class_names=lambda wildcards: inputs.class_names_option(config),
        code=code_digest("scripts/photographs.py"),
    message:
        "Listing the photographs"
    shell:
        "{params.python:q} scripts/photographs.py --images={params.images:q} {params.subset:q}"
        " --classes {params.classes} {params.class_names:q} --environment {input.environment:q}"
        " --output {output.photographs:q} --record {output.record:q} > {log:q} 2>&1"


rule prepare:
    input:
        images=FETCHED_IMAGES,
        photographs=rules.photographs.output.photographs,
        record=rules.photographs.output.record,
        environment=lambda wildcards: layout.manifest(resizers.get(wildcards.resizer).ENVIRONMENT),
    output:
        f"{STUDY}/{layout.prepared('{geometry}', '{resizer}')}",
    log:
        f"{STUDY}/{layout.log('prepare/{geometry}/{resizer}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('prepare/{geometry}/{resizer}')}"
    wildcard_constraints:
        geometry=constraints.GEOMETRY,
    params:
        python=lambda wildcards: layout.interpreter(resizers.get(wildcards.resizer).ENVIRONMENT),
        images=IMAGES,
        code=lambda wildcards: code_digest(
            "scripts/prepare.py", f"deltann.images.resizers.{wildcards.resizer}"
        ),
    message:
        "Preparing the images: {wildcards.geometry}, resized by {wildcards.resizer}"
    shell:
        "{params.python:q} scripts/prepare.py --geometry {wildcards.geometry:q}"
        " --resizer {wildcards.resizer:q}"
        " --images={params.images:q} --photographs {input.photographs:q}"
        " --photographs-record {input.record:q}"
        " --environment {input.environment:q} --output {output:q} > {log:q} 2>&1"
