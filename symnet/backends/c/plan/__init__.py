"""A Program as steps on slabs of memory.

`lowering` takes the statements in their order: `vectors` has the steps that each takes going
forward, `contractions` those of the result that is made of adjoints; both are written in a `draft`,
of which `fusion` then makes fewer.
"""
