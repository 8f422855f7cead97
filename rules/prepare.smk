# Photographs to one uint8 array per model.
if "folder" in config["images"]:
    IMAGES = config["images"]["folder"]

    def image_files():
        """The folder's files, so that an added or changed image is noticed."""
        folder = Path(IMAGES)
        labels = [str(folder / "labels.csv")] if (folder / "labels.csv").is_file() else []
        return [str(folder / name) for name in grid.list_images(folder)] + labels

else:
    IMAGES = "results/images/{}.whl".format(config["images"]["package"].replace("==", "-"))

    def image_files():
        """The wheel that holds the photographs."""
        return [IMAGES]


rule images:
    input:
        manifest("images"),
    output:
        "results/images/{package}-{version}.whl",
    log:
        "results/logs/images/{package}-{version}.log",
    wildcard_constraints:
        version="[0-9.]+",
    params:
        sha256=config["images"].get("sha256", ""),
        code=code_digest("scripts/images.py"),
    message:
        "photographs of the package {wildcards.package}"
    shell:
        "{sys.executable:q} scripts/images.py --package {wildcards.package}=={wildcards.version}"
        " --sha256 {params.sha256:q} --output {output:q} > {log:q} 2>&1"


rule prepare:
    input:
        images=image_files(),
        environment=manifest("images"),
    output:
        f"{STUDY}/inputs/{{model}}.nc",
    log:
        f"{STUDY}/logs/prepare/{{model}}.log",
    params:
        images=IMAGES,
        python=python("images"),
        code=lambda wildcards: code_digest("scripts/prepare.py", grid.model_module(wildcards.model)),
    message:
        "prepare the images for {wildcards.model}"
    shell:
        "{params.python:q} scripts/prepare.py --model {wildcards.model:q}"
        " --images={params.images:q} --environment {input.environment:q}"
        " --output {output:q} > {log:q} 2>&1"
