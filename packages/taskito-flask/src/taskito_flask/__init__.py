"""Flask extension for taskito.

```python
from flask import Flask
from taskito_flask import Taskito

taskito = Taskito()


@taskito.task
def send_welcome(user_id: int) -> None: ...


def create_app() -> Flask:
    app = Flask(__name__)
    taskito.init_app(app)
    return app
```
"""

from taskito_flask.extension import AppState, Taskito
from taskito_flask.task import FlaskTask

__version__ = "0.1.0"

__all__ = ["AppState", "FlaskTask", "Taskito", "__version__"]
