"""The package behind the study's scripts: what each stage does, apart from Snakemake."""
