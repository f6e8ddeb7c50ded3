"""The Chalice application: registers every entry point, and nothing else."""

from chalicelib.entry.gateway import problem_documents
from chalicelib.entry.lazy_loading import LazyChalice
from chalicelib.entry.sheets import XLSX

app = LazyChalice(app_name="wagebook")
app.api.binary_types.append(XLSX)
app.register_middleware(problem_documents, event_type="http")
if not app.is_lazy:
    from chalicelib.blueprints import BLUEPRINTS

    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
