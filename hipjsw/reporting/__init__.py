"""What is shown of a run: figures, tables and the dashboard."""
