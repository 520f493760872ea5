"""`flyball plan`: what the files say and what runs, brought together for `slo.plan`."""
