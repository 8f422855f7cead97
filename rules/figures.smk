# Tables to figures: those of the modules in scripts/deltann/figures/ that this study fills.
from deltann.study import conditions, grid, layout
from deltann.workflow import captions
from deltann.workflow.code_digest import code_digest

FIGURES = raise_as_workflow_error(conditions.figures, config, CELLS)
FIGURE_FILES = [
    f"{STUDY}/{layout.figure(name, suffix)}"
    for name in FIGURES
    for suffix in (".pdf", ".png", ".csv")
]


rule figures:
    input:
        table=lambda wildcards: TABLE_FILES[FIGURES[wildcards.figure].table],
        record=TABLES_RECORD,
        environment=layout.manifest("analysis"),
    output:
        # Not the PNG, which lacks the last pages of a very tall figure.
        pdf=report(
            f"{STUDY}/{layout.figure('{figure}', '.pdf')}",
            caption=captions.path(captions.FIGURES),
            category=lambda wildcards: FIGURES[wildcards.figure].category,
            labels=lambda wildcards: {"result": f"Figure: {FIGURES[wildcards.figure].title}"},
        ),
        png=f"{STUDY}/{layout.figure('{figure}', '.png')}",
        data=f"{STUDY}/{layout.figure('{figure}', '.csv')}",
        record=f"{STUDY}/{layout.figure('{figure}', '.json')}",
    log:
        f"{STUDY}/{layout.log('figures/{figure}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('figures/{figure}')}"
    wildcard_constraints:
        figure=grid.alternatives(list(FIGURES)),
    resources:  # small: a cluster's group of jobs requests their sum
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    params:
        python=layout.interpreter("analysis"),
        stem=f"{STUDY}/{layout.figure('{figure}', '')}",
        code=lambda wildcards: code_digest("scripts/figures.py", FIGURES[wildcards.figure].module),
    message:
        "Drawing the figure {wildcards.figure}"
    shell:
        "{params.python:q} scripts/figures.py --figure {wildcards.figure:q}"
        " --table {input.table:q} --table-record {input.record:q}"
        " --environment {input.environment:q}"
        " --output-stem {params.stem:q} --record {output.record:q} > {log:q} 2>&1"
