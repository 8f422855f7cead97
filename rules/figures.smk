# Tables to figures. A figure draws one table: that of its name, or the one named here.
DRAWN = {"backends": "conversions"}
UNDRAWN = ("accuracy", "routes", "compilers", "compilations")
FIGURES = [name for name in TABLE_CATEGORIES if name not in UNDRAWN] + [*DRAWN]
FIGURE_FILES = [
    f"{STUDY}/figures/{figure}.{suffix}" for figure in FIGURES for suffix in ("pdf", "png", "csv")
]


def drawn(wildcards):
    """The name of the table that a figure draws."""
    return DRAWN.get(wildcards.figure, wildcards.figure)


rule figures:
    input:
        table=lambda wildcards: f"{TABLES}/{drawn(wildcards)}.csv",
        record=TABLES_RECORD,
        environment=manifest("analysis"),
    output:
        # Snakemake's report centres a picture, and cuts off the top of one taller than the window
        pdf=report(
            f"{STUDY}/figures/{{figure}}.pdf",
            caption="../report/figures.rst",
            category=lambda wildcards: TABLE_CATEGORIES[drawn(wildcards)],
            labels={"figure": "{figure}"},
        ),
        png=f"{STUDY}/figures/{{figure}}.png",
        data=f"{STUDY}/figures/{{figure}}.csv",
        record=f"{STUDY}/figures/{{figure}}.json",
    log:
        f"{STUDY}/logs/figures/{{figure}}.log",
    wildcard_constraints:
        figure=grid.alternatives(FIGURES),
    resources:  # small, as a cluster's group of jobs asks for the sum
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    params:
        python=python("analysis"),
        stem=lambda wildcards: f"{STUDY}/figures/{wildcards.figure}",
        code=lambda wildcards: code_digest(
            "scripts/figures.py", f"deltann.figures.{wildcards.figure}"
        ),
    message:
        "draw the figure {wildcards.figure}"
    shell:
        "{params.python:q} scripts/figures.py --figure {wildcards.figure:q}"
        " --table {input.table:q} --table-record {input.record:q} --environment {input.environment:q}"
        " --output-stem {params.stem:q} --record {output.record:q} > {log:q} 2>&1"
