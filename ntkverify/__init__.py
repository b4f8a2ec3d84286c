"""ntkverify takes a theorem about a wide network and tells, with evidence, whether it holds."""

__version__ = "0.1.0"
