# Tables to figures: those of the modules in scripts/deltann/figures/.
FIGURE_FILES = [
    f"{STUDY}/figures/{name}.{suffix}"
    for name in registry.figures()
    for suffix in ("pdf", "png", "csv")
]
# A caption is a file without wildcards, so this one chooses the text when the report is made.
FIGURE_CAPTIONS = {name: figure.caption for name, figure in registry.figures().items()}
FIGURE_CAPTION = caption_file(
    "figures",
    f"{{{{ {json.dumps(FIGURE_CAPTIONS)}[snakemake.wildcards.figure] }}}} The figure says over how"
    " many images it is, and what hatched and hollow marks mean.",
)


def figure_of(wildcards):
    """The figure that a job draws, as the registry has it."""
    return registry.figures()[wildcards.figure]


rule figures:
    input:
        table=lambda wildcards: TABLE_FILES[figure_of(wildcards).table],
        record=TABLES_RECORD,
        environment=manifest("analysis"),
    output:
        # Snakemake's report centres a picture, and cuts off the top of one taller than the window
        pdf=report(
            f"{STUDY}/figures/{{figure}}.pdf",
            caption=FIGURE_CAPTION,
            category=lambda wildcards: figure_of(wildcards).category,
            labels={"figure": "{figure}"},
        ),
        png=f"{STUDY}/figures/{{figure}}.png",
        data=f"{STUDY}/figures/{{figure}}.csv",
        record=f"{STUDY}/figures/{{figure}}.json",
    log:
        f"{STUDY}/logs/figures/{{figure}}.log",
    wildcard_constraints:
        figure=grid.alternatives(list(registry.figures())),
    resources:  # small, as a cluster's group of jobs asks for the sum
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    params:
        python=python("analysis"),
        stem=lambda wildcards: f"{STUDY}/figures/{wildcards.figure}",
        code=lambda wildcards: code_digest("scripts/figures.py", figure_of(wildcards).module),
    message:
        "draw the figure {wildcards.figure}"
    shell:
        "{params.python:q} scripts/figures.py --figure {wildcards.figure:q}"
        " --table {input.table:q} --table-record {input.record:q} --environment {input.environment:q}"
        " --output-stem {params.stem:q} --record {output.record:q} > {log:q} 2>&1"
