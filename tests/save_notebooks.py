"""Run notebooks from top to bottom and save what they show: ``python -m tests.save_notebooks [NAME …]``."""

from __future__ import annotations

import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def executed(path):
    """A notebook with its cells run in a kernel of their own; cells keep their ids and their metadata."""
    import nbformat  # of the extra `notebook`, which tests do without
    from nbclient import NotebookClient

    notebook = nbformat.read(path, 4)
    metadata = notebook.metadata.copy()
    NotebookClient(notebook, timeout=120, kernel_name="python3", record_timing=False).execute()
    notebook.metadata = metadata
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = merged(cell.outputs)
    return notebook


def merged(outputs):
    """The outputs; streams that follow each other become one, as a notebook shows them."""
    found = []
    for output in outputs:
        if found and output.output_type == found[-1].output_type == "stream" and output.name == found[-1].name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def main(names):
    """Save the notebooks of these names, or all."""
    import nbformat

    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if not names or path.stem in names:
            nbformat.write(executed(path), path)
            print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
