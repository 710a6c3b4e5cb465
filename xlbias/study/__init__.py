"""Studies: samplers × sources × seeds × targets from one plan, into one run file."""
