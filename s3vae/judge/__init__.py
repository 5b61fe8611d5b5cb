"""The judge: a classifier of every factor that scores generated clips."""
