"""How a document looks: text, Markdown, LaTeX, HTML, CSV, TSV and JSON."""
