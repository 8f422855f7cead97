# What was asked for, kept with the study: enough to check it, and to draw it again elsewhere.
from deltann.provenance import records


localrules:
    grid,


rule grid:
    input:
        cells=rules.cells.output[0],
    output:
        config=f"{STUDY}/config.json",
        record=f"{STUDY}/grid.json",
    params:
        # in the config's own order, which is that of the cells; by a function, as Snakemake takes
        # the braces of a text for wildcards
        config=lambda wildcards: json.dumps(config, indent=2, ensure_ascii=False) + "\n",
        expected=[
            str(Path(path).relative_to(STUDY))
            for path in [
                *rules.aggregate.output,
                *rules.tables.output,
                *FIGURE_FILES,
                *rules.summary.output,
                *rules.gallery.output,
            ]
        ],
    message:
        "keep the study's config"
    run:
        files.write_text(output.config, params.config)
        records.write(
            Path(output.record),
            "save_config",
            [Path(output.config), Path(input.cells)],
            inputs={},
            environment_digest="",
            expected=params.expected,
        )
