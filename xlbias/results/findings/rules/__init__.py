"""The rules of findings, a file each: a new file here is a new rule, and nothing else."""
