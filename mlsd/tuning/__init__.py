"""Finding good configs: `mlsd sweep`. The only place that knows Optuna."""
