"""The REST door: parse, call one action, answer. It holds no rule."""
