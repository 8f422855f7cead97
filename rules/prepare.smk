# Photographs: fetched unless they are in a folder, listed, and prepared: one uint8 array for each
# geometry and resizer. And those that quantizers calibrate on.
from deltann.images import collection, resizers
from deltann.study import file_checks, image_places, layout, model_sources
from deltann.workflow import constraints, inputs
from deltann.workflow.code_digest import code_digest

check_config(file_checks.check_images, config)
IMAGES = image_places.place(config["images"], collection.IMAGES)
CALIBRATION = image_places.calibration(config)
# Downloads by their paths, each with the part of the config that asks for it.
DOWNLOADS = {place.path: place for place in (IMAGES, CALIBRATION) if place and place.fetched}


localrules:
    class_names,
    fetch_images,  # nodes of a cluster may have no network


rule fetch_images:
    output:
        layout.fetched_images("{name}"),
    log:
        layout.shared_log("images/{name}"),
    benchmark:
        layout.shared_benchmark("images/{name}")
    wildcard_constraints:
        name=r"[^/]+\.(whl|zip)",
    params:
        origin=lambda wildcards: DOWNLOADS[layout.fetched_images(wildcards.name)].origin,
        sha256=lambda wildcards: DOWNLOADS[layout.fetched_images(wildcards.name)].sha256,
        code=code_digest("scripts/fetch_images.py"),
    message:
        "Fetching {wildcards.name}"
    shell:
        "{DRIVER_PYTHON:q} scripts/fetch_images.py {params.origin:q}"
        " --sha256 {params.sha256} --output {output:q} > {log:q} 2>&1"


rule photographs:
    input:
        images=IMAGES.files,
        listed=IMAGES.listed,
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
        images=IMAGES.path,
        subset=IMAGES.options,
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


# What pages show instead of a class's number.
rule class_names:
    input:
        given=inputs.class_names_file(config),
        environment=layout.manifest("images"),
    output:
        names=f"{STUDY}/{layout.CLASS_NAMES}",
        record=f"{STUDY}/{layout.CLASS_NAMES_RECORD}",
    log:
        f"{STUDY}/{layout.log('class_names')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('class_names')}"
    params:
        python=layout.interpreter("images"),
        origin=lambda wildcards: inputs.class_names_origin(config),
        code=code_digest("scripts/class_names.py"),
    message:
        "Naming the classes"
    shell:
        "{params.python:q} scripts/class_names.py {params.origin:q}"
        " --environment {input.environment:q}"
        " --output {output.names:q} --record {output.record:q} > {log:q} 2>&1"


rule prepare:
    input:
        images=[IMAGES.path] if IMAGES.fetched else [],
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
        images=IMAGES.path,
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


rule calibration:
    input:
        images=CALIBRATION.files if CALIBRATION else [],
        listed=CALIBRATION.listed if CALIBRATION else [],
        photographs=rules.photographs.output.photographs,
        record=rules.photographs.output.record,
        environment=layout.manifest(resizers.get(resizers.DEFAULT).ENVIRONMENT),
    output:
        f"{STUDY}/{layout.calibration('{geometry}')}",
    log:
        f"{STUDY}/{layout.log('calibration/{geometry}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('calibration/{geometry}')}"
    wildcard_constraints:
        geometry=constraints.GEOMETRY,
    params:
        python=layout.interpreter(resizers.get(resizers.DEFAULT).ENVIRONMENT),
        images=CALIBRATION.path if CALIBRATION else "",
        options=CALIBRATION.options if CALIBRATION else [],
        code=code_digest("scripts/calibration.py", f"deltann.images.resizers.{resizers.DEFAULT}"),
    message:
        "Preparing the calibration images: {wildcards.geometry}"
    shell:
        "{params.python:q} scripts/calibration.py --geometry {wildcards.geometry:q}"
        " --images={params.images:q} {params.options:q}"
        " --photographs {input.photographs:q} --photographs-record {input.record:q}"
        " --environment {input.environment:q} --output {output:q} > {log:q} 2>&1"
