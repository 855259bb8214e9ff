"""What is shown of the runs of a study: tables in Markdown, and charts."""
