"""What a network is: weights, layers, and their connections; its formula of the inputs."""

from symnet.network.network import Layer, Network, Spec

__all__ = ["Layer", "Network", "Spec"]
