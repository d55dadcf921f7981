"""Programs as C kernels for many points: what is computed (plan), its text, and how it is run."""
