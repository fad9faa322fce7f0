"""The checkpoints screen."""
