# The images on which cells disagree.
rule gallery:
    input:
        study=DATASET,
        record=f"{DATASET}.json",
        images=PREPARED,
        page=[f"scripts/deltann/gallery/page.{part}" for part in ("xhtml", "css", "js")],
        environment=manifest("analysis"),
    output:
        page=report(f"{STUDY}/gallery.xhtml", caption="../report/gallery.rst", category="Answers"),
        record=f"{STUDY}/gallery.xhtml.json",
    log:
        f"{STUDY}/logs/gallery.log",
    params:
        python=python("analysis"),
        code=code_digest("scripts/gallery.py"),
    message:
        "show the images on which cells disagree"
    shell:
        "{params.python:q} scripts/gallery.py --study {input.study:q}"
        " --study-record {input.record:q} --inputs {input.images:q}"
        " --environment {input.environment:q}"
        " --output {output.page:q} --record {output.record:q} > {log:q} 2>&1"
