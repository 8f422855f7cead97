"""What leans on Snakemake and Slurm."""
