"""The middle form: every tensor of a model as an affine form of inputs and of nonlinear nodes."""
