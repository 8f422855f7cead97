# Photographs: fetched where they aren't in a folder, listed, and made one uint8 array per geometry
# and resizer.
from deltann.images.collection import LABELS, select, scan_folder, list_images

hold(file_checks.check_images, config)
SUBSET = config["images"].get("subset", {})

if "folder" in config["images"]:
    IMAGES = config["images"]["folder"]

    def image_files():
        """The folder's chosen files, so that an added, changed or lost image is noticed."""
        collection = scan_folder(Path(IMAGES))
        names = select(list_images(collection), SUBSET, collection.where)
        labels = [LABELS] if LABELS in collection.files else []
        return [str(Path(IMAGES, name)) for name in names + labels]

    PLACE = []
    LISTED = image_files()
else:
    WANTED = "package" if "package" in config["images"] else "url"
    IMAGES = "results/images/" + (
        config["images"]["package"].replace("==", "-") + ".whl"
        if WANTED == "package"
        else config["images"]["sha256"] + ".zip"
    )
    PLACE = LISTED = [IMAGES]

    localrules:
        fetch_images,  # nodes of a cluster may have no network

    rule fetch_images:
        output:
            IMAGES,
        log:
            f"results/logs/images/{Path(IMAGES).stem}.log",
        params:
            python=sys.executable,
            # by a function, as Snakemake takes the braces of a text for wildcards
            wanted=lambda wildcards: f"--{WANTED}={config['images'][WANTED]}",
            sha256=config["images"]["sha256"],
            code=code_digest("scripts/fetch_images.py"),
        message:
            "fetch the photographs"
        shell:
            "{params.python:q} scripts/fetch_images.py {params.wanted:q} --sha256 {params.sha256}"
            " --output {output:q} > {log:q} 2>&1"


rule photographs:
    input:
        images=LISTED,
        listed=SUBSET.get("list", []),
        environment=manifest("images"),
    output:
        photographs=f"{STUDY}/photographs.csv",
        record=f"{STUDY}/photographs.csv.json",
    log:
        f"{STUDY}/logs/photographs.log",
    params:
        python=python("images"),
        images=IMAGES,
        subset=[f"--{key}={value}" for key, value in sorted(SUBSET.items())],
        classes=min(
            how.classes
            for model in model_sources.model_names(config)
            for how in model_sources.sources(config, model).values()
        ),
        code=code_digest("scripts/photographs.py"),
    message:
        "list the photographs"
    shell:
        "{params.python:q} scripts/photographs.py --images={params.images:q} {params.subset:q}"
        " --classes {params.classes} --environment {input.environment:q}"
        " --output {output.photographs:q} --record {output.record:q} > {log:q} 2>&1"


rule prepare:
    input:
        images=PLACE,
        photographs=rules.photographs.output.photographs,
        record=rules.photographs.output.record,
        environment=lambda wildcards: manifest(resizers.get(wildcards.resizer).ENVIRONMENT),
    output:
        f"{STUDY}/inputs/{{geometry}}/{{resizer}}.nc",
    log:
        f"{STUDY}/logs/prepare/{{geometry}}/{{resizer}}.log",
    wildcard_constraints:
        geometry="[a-z0-9]+-[0-9]+-[a-z]+",
    params:
        images=IMAGES,
        python=lambda wildcards: python(resizers.get(wildcards.resizer).ENVIRONMENT),
        code=lambda wildcards: code_digest(
            "scripts/prepare.py", f"deltann.images.resizers.{wildcards.resizer}"
        ),
    message:
        "prepare the images {wildcards.geometry} by {wildcards.resizer}"
    shell:
        "{params.python:q} scripts/prepare.py --geometry {wildcards.geometry:q}"
        " --resizer {wildcards.resizer:q}"
        " --images={params.images:q} --photographs {input.photographs:q}"
        " --photographs-record {input.record:q}"
        " --environment {input.environment:q} --output {output:q} > {log:q} 2>&1"
