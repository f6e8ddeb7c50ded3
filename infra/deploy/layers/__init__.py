"""Layers: what one function needs and the others must not carry, beside the zip that all of them share.

A layer is a folder here with a `requirements.txt`, each line pinned. What is in it is unpacked into /opt/python, where
Lambda's Python looks for modules.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from zipfile import ZipFile

from infra.deploy.packaging import archive, contents, wheels

HERE = Path(__file__).parent
UNPACKED = "/opt"  # where Lambda puts it
# by the folder's name: the function, by its handler, that has the layer
LAYERS = {"payslips": "chalicelib.features.payroll.documents.consumers.make_payslip_documents"}


def build(out: Path) -> None:
    """Put each layer beside the packaged zip, and name it in the template for its function alone."""
    template = out / "sam.json"
    document = json.loads(template.read_text())
    for name, handler in LAYERS.items():
        functions = [
            one for one in document["Resources"].values() if one.get("Properties", {}).get("Handler") == handler
        ]
        if len(functions) != 1:
            raise SystemExit(f"The layer {name} is for {handler}, and the template has {len(functions)} of these.")
        _zip(name, out / f"layer-{name}.zip", runtime=functions[0]["Properties"]["Runtime"])
        logical_id = f"{name.title()}Layer"
        document["Resources"][logical_id] = {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {
                "LayerName": f"wagebook-{name}",
                "ContentUri": f"./layer-{name}.zip",
                "CompatibleRuntimes": [functions[0]["Properties"]["Runtime"]],
            },
        }
        functions[0]["Properties"]["Layers"] = [{"Ref": logical_id}]
    template.write_text(json.dumps(document, indent=2))


def size(zipped: Path) -> int:
    """Count the bytes of a zip once it is unpacked."""
    with ZipFile(zipped) as opened:
        return sum(one.file_size for one in opened.infolist())


def _zip(name: str, zipped: Path, *, runtime: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "python"
        wheels.install(HERE / name / "requirements.txt", python, "--no-deps")
        contents.prune(python)
        contents.bake(python, runtime=runtime, at=f"{UNPACKED}/python")
        archive.write(Path(folder), zipped)
