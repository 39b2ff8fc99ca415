"""What turns the parts into running functions: settings, logging and metrics, and the wiring of adapters."""
