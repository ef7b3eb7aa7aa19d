"""Conformance kits for plug-ins, ours and others'."""
