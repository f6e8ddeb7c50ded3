"""The Chalice application: registers every door, and nothing else."""

from chalice import Chalice

from chalicelib.blueprints import BLUEPRINTS
from chalicelib.entry.gateway import problem_documents

app = Chalice(app_name="wagebook")
for blueprint in BLUEPRINTS:
    app.register_blueprint(blueprint)
app.register_middleware(problem_documents, event_type="http")
