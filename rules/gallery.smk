# The images on which cells disagree.
from deltann.study import layout
from deltann.workflow import inputs
from deltann.workflow.code_digest import code_digest


rule gallery:
    input:
        study=DATASET,
        record=DATASET_RECORD,
        images=PREPARED_IMAGES,
        class_names=inputs.class_names_file(config),
        page=[f"scripts/deltann/gallery/page.{part}" for part in ("xhtml", "css", "js")],
        environment=layout.manifest("analysis"),
    output:
        page=report(
            f"{STUDY}/{layout.GALLERY}",
            caption="../report/gallery.rst",
            category="Answers",
        ),
        record=f"{STUDY}/{layout.GALLERY_RECORD}",
    log:
        f"{STUDY}/{layout.log('gallery')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('gallery')}"
    params:
        python=layout.interpreter("analysis"),
        class_names=lambda wildcards: inputs.class_names_option(config),
        code=code_digest("scripts/gallery.py"),
    message:
        "Collecting the images on which cells disagree"
    shell:
        "{params.python:q} scripts/gallery.py --study {input.study:q}"
        " --study-record {input.record:q} --inputs {input.images:q} {params.class_names:q}"
        " --environment {input.environment:q}"
        " --output {output.page:q} --record {output.record:q} > {log:q} 2>&1"
