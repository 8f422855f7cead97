import sys

from snakemake.utils import min_version, validate

min_version("9.27")
sys.path.insert(0, f"{workflow.basedir}/scripts")


configfile: "config/config.yaml"


validate(config, "config/schemas/config.schema.yaml")


include: "rules/common.smk"
include: "rules/environment.smk"
include: "rules/prepare.smk"
include: "rules/export.smk"
include: "rules/convert.smk"
include: "rules/lower.smk"
include: "rules/compile.smk"
include: "rules/infer.smk"
include: "rules/aggregate.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/summary.smk"


rule all:
    default_target: True
    input:
        rules.aggregate.output,
        FIGURE_FILES,
        rules.summary.output,
