"""Every check of the project. ``nox`` with no arguments is what CI runs.

The engine is compiled into a wheel once per state of its sources; all sessions that need
Python install that one wheel, so a second run rebuilds nothing.
"""

import hashlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import nox
from uv import find_uv_bin

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "rust", "types", "tests", "browser", "packaging"]

ROOT = Path(__file__).resolve().parent
TARGET = ROOT / "target"
DIST = TARGET / "dist"
CONSTRAINTS = ROOT / "constraints.txt"
CORE = ROOT / "packages" / "taskito-core"
DASHBOARD = ROOT / "packages" / "taskito-dashboard"
PURE = [ROOT / "packages" / name for name in ("taskito", "taskito-dashboard", "taskito-flask")]
ENV = {
    "CARGO_TARGET_DIR": str(TARGET),
    "UV_HTTP_TIMEOUT": "180",
    "UV_PYTHON_DOWNLOADS": "never",
}
MAX_CORE_WHEEL_BYTES = 2_500_000
HISTORIES = 10_000
OLD_FRAMEWORKS = {
    # The lowest versions that are supported, with what they need, and some in between. The page
    # is not installed beside Flask: it needs a newer Werkzeug than the oldest one.
    "flask-2.3": (
        "tests/flask",
        *("flask==2.3.0", "werkzeug==2.3.3", "jinja2==3.1.2"),
        *("click==8.1.3", "itsdangerous==2.1.2", "blinker==1.6.2", "flask-sqlalchemy"),
    ),
    "flask-3.0": ("tests/flask", "flask==3.0.*", "werkzeug==3.0.*", "flask-sqlalchemy"),
    "fastapi-0.100": (
        "tests/fastapi",
        *("fastapi==0.100.0", "pydantic==2.0.2", "uvicorn==0.30.0"),
    ),
    "telemetry-1.20": (
        "tests/telemetry",
        *("opentelemetry-sdk==1.20.0", "opentelemetry-api==1.20.0", "setuptools"),
        *("prometheus-client==0.20.0", "fastapi"),
    ),
    "django-4.2": ("tests/django", "django==4.2.0", "django-tasks==0.12.0", "uvicorn"),
}


@nox.session
def lint(session: nox.Session) -> None:
    """Formatting, lint rules, import directions, lock files."""
    install(session, "lint")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    sources = ":".join(str(path) for path in [CORE / "python", *(p / "src" for p in PURE)])
    session.run("lint-imports", env={"PYTHONPATH": sources})
    check_lock_files(session)


@nox.session(venv_backend="none")
def rust(session: nox.Session) -> None:
    """Format, clippy, the engine without Python, its tests, its doctests, its simulation."""
    cargo(session, "fmt", "--check")
    locked = "--locked"
    model = (locked, "--features", "model")
    cargo(session, "clippy", *model, "--all-targets", "--", "-D", "warnings")
    cargo(session, "clippy", locked, "--features", "python", "--lib", "--", "-D", "warnings")
    cargo(session, "build", locked, "--no-default-features")
    if shutil.which("cargo-nextest"):
        cargo(session, "nextest", "run", "--no-fail-fast", *model, *session.posargs)
    else:
        cargo(session, "test", *model, "--lib", "--tests", *session.posargs)
    cargo(session, "test", *model, "--doc")
    if not session.posargs:
        tell_histories(session, HISTORIES)


@nox.session
def types(session: nox.Session) -> None:
    """Mypy strict, pyright strict, and the engine's stub against the compiled module."""
    install(session, "types", packages=True)
    programs = [path for path in ("tests", "examples", "benchmarks") if (ROOT / path).is_dir()]
    sources = [CORE / "python", *(path / "src" for path in PURE)]
    session.run("mypy", "noxfile.py", *map(str, sources), *programs)
    session.run("pyright", env={"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"})
    allowlist = CORE / "stubtest-allowlist.txt"
    session.run("python", "-m", "mypy.stubtest", "taskito_core", "--allowlist", str(allowlist))


@nox.session
def tests(session: nox.Session) -> None:
    """All Python tests but those with sessions of their own. Arguments go to pytest."""
    install(session, "test", packages=True)
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    # What kills and times processes has the machine to itself; the rest is run two at a time.
    alone = [f"tests/{name}" for name in ("crash", "e2e", "performance")]
    elsewhere = [f"--ignore={path}" for path in [*alone, "tests/packaging", "tests/browser"]]
    session.run("pytest", "-n2", *elsewhere)
    session.run("pytest", *alone)


@nox.session
def browser(session: nox.Session) -> None:
    """The dashboard in a real Chromium, if there is one; screenshots in target/screenshots."""
    npm_ci(session)
    install(session, "test", "browser", packages=True)
    session.run("pytest", *(session.posargs or ["tests/browser"]))


@nox.session
def packaging(session: nox.Session) -> None:
    """Build every wheel and sdist, and install them into empty environments."""
    install(session, "test")
    wheel = core_wheel(session)
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir(parents=True)
    shutil.copy2(wheel, DIST)
    maturin(session, "sdist", "--manifest-path", str(CORE / "Cargo.toml"), "--out", str(DIST))
    for package in PURE:
        session.run(
            *("uv", "build", "--quiet", "--no-sources", "--build-constraints", str(CONSTRAINTS)),
            *("--out-dir", str(DIST), str(package)),
            env=ENV,
            external=True,
        )
    env = {"TASKITO_DIST": str(DIST), "TASKITO_UV": find_uv_bin(), **ENV}
    session.run("pytest", "tests/packaging", *session.posargs, env=env)


@nox.session(default=False)
@nox.parametrize("wanted", [nox.param(old, id=name) for name, old in OLD_FRAMEWORKS.items()])
def compat(session: nox.Session, wanted: tuple[str, ...]) -> None:
    """The integrations with the oldest versions that they support; arguments go to pytest."""
    tests, *versions = wanted
    other = "taskito-dashboard" if "flask" in tests else "taskito-flask"
    ours = [f"--editable={path}" for path in PURE if path.name != other]
    tools = ["pytest", "pytest-randomly", "pytest-timeout", "pytest-xdist", "httpx", "gunicorn"]
    session.install("--no-sources", str(core_wheel(session)), *ours, *tools, *versions, env=ENV)
    session.run("pytest", *(session.posargs or [tests]))


@nox.session(default=False, python=["3.12", "3.13"])
def newer(session: nox.Session) -> None:
    """The Django integration on the newest Django, which needs a newer Python."""
    install(session, "test", packages=True)
    session.run("pytest", *(session.posargs or ["tests/django"]))


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """Kill a worker and watch its jobs survive: ``nox -s demo``."""
    install(session, packages=True)
    session.run("python", "examples/demo.py", *session.posargs)


@nox.session(default=False)
def example(session: nox.Session) -> None:
    """Run another example: ``nox -s example -- scraper``; examples/README.md lists them."""
    install(session, packages=True)
    name, *options = session.posargs or ["scraper"]
    session.run("python", f"examples/{name}", *options)


@nox.session(default=False)
def cycles(session: nox.Session) -> None:
    """Kill producers and workers by the thousand: ``nox -s cycles -- --cycles 5000``."""
    install(session, "test", packages=True)
    session.run("python", "-m", "tests.crash.cycles", *(session.posargs or ["--cycles", "2000"]))


@nox.session(default=False)
def crowd(session: nox.Session) -> None:
    """Count the effects of 20,000 jobs on eight workers."""
    install(session, "test", packages=True)
    session.run("python", "-m", "tests.crash.crowd", *session.posargs)


@nox.session(default=False, venv_backend="none")
def simulate(session: nox.Session) -> None:
    """Tell 10,000 histories of the engine: ``nox -s simulate -- 1000000`` tells more."""
    (histories,) = session.posargs or [str(HISTORIES)]
    tell_histories(session, int(histories))


@nox.session(default=False, venv_backend="none")
def power(session: nox.Session) -> None:
    """Cut the power 2,000 times per test: ``nox -s power -- 5000``."""
    (cuts,) = session.posargs or ["2000"]
    test = ("--test", "power", "--", "--nocapture")
    cargo(session, "test", "--locked", "--features", "model", *test, env={"TASKITO_CUTS": cuts})


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """A million inputs for everything that parses: ``nox -s fuzz -- --inputs 5000000``."""
    install(session, "test", packages=True)
    session.run("python", "-m", "tests.fuzz", *(session.posargs or ["--inputs", "1000000"]))


@nox.session(default=False)
def soak(session: nox.Session) -> None:
    """Ten minutes of mixed load; fails if memory, descriptors, threads or files grow."""
    install(session, "test", packages=True)
    session.run("python", "-m", "tests.soak", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure: a short run; ``-- --long`` for everything. Arguments go to ``benchmarks/run.py``."""
    install(session, packages=True)
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Choose new versions of the tools and write them to ``constraints.txt``."""
    requirements = [f"packages/{path.name}/pyproject.toml" for path in PURE]
    ours = [path.name for path in [CORE, *PURE]]
    session.run(
        *("uv", "pip", "compile", "--quiet", "--universal", "--upgrade"),
        *("--python-version", "3.11", "--no-annotate", "--no-header", "--no-emit-index-url"),
        *(f"--no-emit-package={name}" for name in ours),
        *("--all-extras", "--group", "dev", "--output-file", str(CONSTRAINTS), *requirements),
        env=ENV,
        external=True,
    )
    cargo(session, "update")


def install(session: nox.Session, *groups: str, packages: bool = False) -> None:
    """Install pinned tools and, if asked, the core wheel and our packages from source."""
    wanted = [f"--group={group}" for group in groups]
    if packages:
        wanted.append(str(core_wheel(session)))
        wanted += [f"--editable={path}" for path in PURE]
    session.install("--no-sources", "-c", str(CONSTRAINTS), *wanted, env=ENV)


def core_wheel(session: nox.Session) -> Path:
    """The engine's wheel for the present state of its sources, built if there is none."""
    wheels = TARGET / "wheels" / core_digest()
    if not (found := sorted(wheels.glob("*.whl"))):
        shutil.rmtree(wheels.parent, ignore_errors=True)
        maturin(
            session,
            *("build", "--release", "--locked", "--manifest-path", str(CORE / "Cargo.toml")),
            *("--interpreter", sys.executable, "--out", str(wheels)),
        )
        found = sorted(wheels.glob("*.whl"))
    (wheel,) = found
    if wheel.stat().st_size > MAX_CORE_WHEEL_BYTES:
        session.error(f"{wheel.name} has {wheel.stat().st_size} bytes, over the limit")
    return wheel


def core_digest() -> str:
    """A name for the present state of everything that goes into the engine's wheel."""
    digest = hashlib.sha256(sys.version.encode())
    files = [ROOT / "Cargo.toml", ROOT / "Cargo.lock", *sorted(CORE.rglob("*"))]
    for path in files:
        name = path.relative_to(ROOT)
        if path.is_file() and not {"tests", "__pycache__"} & set(name.parts):
            digest.update(f"{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def maturin(session: nox.Session, *args: str) -> None:
    """Run the pinned maturin, from an environment of its own that uv keeps."""
    session.run("uvx", "--constraints", str(CONSTRAINTS), "maturin", *args, env=ENV, external=True)


def npm_ci(session: nox.Session) -> None:
    """Install what package-lock.json lists: what browsers load, and axe for the tests."""
    installed = DASHBOARD / "node_modules" / ".package-lock.json"
    locked = DASHBOARD / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < locked.stat().st_mtime:
        with session.chdir(DASHBOARD):
            session.run("npm", "ci", "--prefer-offline", external=True)


def cargo(session: nox.Session, *args: str, env: Mapping[str, str] | None = None) -> None:
    """Run cargo on the one target directory all sessions share."""
    session.run("cargo", args[0], *args[1:], env={**ENV, **(env or {})}, external=True)


def tell_histories(session: nox.Session, count: int) -> None:
    """Run the simulation, optimised; it says how far it has come and how long it took."""
    test = ("--features", "model", "--test", "simulation", "no_history", "--", "--nocapture")
    env = {"TASKITO_HISTORIES": str(count)}
    cargo(session, "test", "--locked", "--profile", "simulation", *test, env=env)


def check_lock_files(session: nox.Session) -> None:
    """Refuse lock files that name a host: they must work against any mirror."""
    locks = [CONSTRAINTS, *ROOT.glob("**/package-lock.json")]
    for path in locks:
        if "node_modules" in path.parts:
            continue
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if "://" in line or line.startswith("-"):
                where = f"{path.relative_to(ROOT)}:{number}"
                session.error(f"{where} names a host or an option: {line}")
