"""An application with a model, tasks and views."""
