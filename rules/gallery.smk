# The images on which cells disagree.
rule gallery:
    input:
        study=rules.aggregate.output,
        images=PREPARED,
        page=[f"scripts/deltann/gallery/page.{part}" for part in ("xhtml", "css", "js")],
        environment=manifest("analysis"),
    output:
        report(f"{STUDY}/gallery.xhtml", caption="../report/gallery.rst", category="Answers"),
    log:
        f"{STUDY}/logs/gallery.log",
    params:
        python=python("analysis"),
        code=code_digest("scripts/gallery.py"),
    message:
        "show the images on which cells disagree"
    shell:
        "{params.python:q} scripts/gallery.py --study {input.study:q} --inputs {input.images:q}"
        " --environment {input.environment:q} --output {output:q} > {log:q} 2>&1"
