"""Public data sets that `xlbias data pull` fetches: what there is, downloading, unpacking, and putting in place."""
