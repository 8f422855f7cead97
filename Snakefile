include: "rules/config.smk"
include: "rules/common.smk"
include: "rules/environment.smk"
include: "rules/prepare.smk"
include: "rules/export.smk"
include: "rules/convert.smk"


if "tuned" in config["schedules"]:  # other studies have no budget and no limit for it

    include: "rules/tune.smk"


include: "rules/compile.smk"
include: "rules/infer.smk"
include: "rules/aggregate.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/summary.smk"
include: "rules/explorer.smk"
include: "rules/explain.smk"
include: "rules/repair.smk"
include: "rules/repaired.smk"
include: "rules/save_config.smk"


if "operators" in config:  # a study of operators has no cells

    include: "rules/operators.smk"


rule all:
    default_target: True
    input:
        [
            rules.aggregate.output,
            FIGURE_FILES,
            rules.summary.output,
            rules.summary_page.output,
            rules.explorer.output,
            rules.save_config.output,
        ]
        if "operators" not in config
        else rules.operator_matrix.output,


snakemake_internals.remember_parameters(workflow)
