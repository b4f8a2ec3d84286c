"""What every room stands on: errors, precision, intervals, settings, progress, rows and tables on disk."""
