"""A recorded run in; how far it holds, rung by rung from seconds to a training, out."""
