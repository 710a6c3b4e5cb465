"""Processes that do one command together, started by torchrun, srun or accelerate: who leads, how work is shared."""
