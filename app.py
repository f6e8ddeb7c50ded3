"""The Chalice application: registers every door, and nothing else."""

from chalice import Chalice

from chalicelib.blueprints import BLUEPRINTS
from chalicelib.entry.gateway import problem_documents
from chalicelib.entry.sheets import XLSX

app = Chalice(app_name="wagebook")
app.api.binary_types.append(XLSX)
for blueprint in BLUEPRINTS:
    app.register_blueprint(blueprint)
app.register_middleware(problem_documents, event_type="http")
