"""What is inside the built distributions."""

import tarfile
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["taskito", "taskito_core", "taskito_dashboard", "taskito_flask"]


def wheel(dist: Path, name: str) -> Path:
    (found,) = dist.glob(f"{name}-*.whl")
    return found


def metadata(path: Path) -> Message:
    with zipfile.ZipFile(path) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(archive.read(name).decode())


def entry_points(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/entry_points.txt")]
        return archive.read(name).decode()


class TestEveryWheel:
    @pytest.mark.parametrize("name", NAMES)
    def test_it_is_typed_licensed_and_described(self, dist: Path, name: str) -> None:
        path = wheel(dist, name)
        with zipfile.ZipFile(path) as archive:
            files = archive.namelist()

        assert f"{name}/py.typed" in files
        assert any(file.endswith("/licenses/LICENSE") for file in files)
        about = metadata(path)
        assert about["License-Expression"] == "MIT"
        assert about["Requires-Python"] == ">=3.11"
        assert str(about.get_payload()).startswith("# taskito")

    @pytest.mark.parametrize("name", NAMES)
    def test_it_holds_its_package_and_no_stray_file(self, dist: Path, name: str) -> None:
        path = wheel(dist, name)
        with zipfile.ZipFile(path) as archive:
            tops = {file.partition("/")[0] for file in archive.namelist()}

        assert {top for top in tops if ".dist-info" not in top} == {name}

    @pytest.mark.parametrize("name", NAMES)
    def test_it_was_given_a_licence_that_equals_ours(self, dist: Path, name: str) -> None:
        with zipfile.ZipFile(wheel(dist, name)) as archive:
            (licence,) = [n for n in archive.namelist() if n.endswith("/licenses/LICENSE")]
            assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()


class TestCoreWheel:
    def test_one_small_wheel_serves_every_python_from_3_11(self, dist: Path) -> None:
        path = wheel(dist, "taskito_core")

        assert "-cp311-abi3-" in path.name
        assert path.stat().st_size < 2_500_000

    def test_it_holds_the_module_and_its_contract(self, dist: Path) -> None:
        with zipfile.ZipFile(wheel(dist, "taskito_core")) as archive:
            files = set(archive.namelist())

        package = {"__init__.py", "_native.abi3.so", "_native.pyi", "py.typed"}
        assert {f for f in files if f.startswith("taskito_core/")} == {
            f"taskito_core/{name}" for name in package
        }

    def test_it_needs_nothing(self, dist: Path) -> None:
        assert metadata(wheel(dist, "taskito_core")).get_all("Requires-Dist") is None

    def test_the_sdist_can_be_compiled(self, dist: Path) -> None:
        (path,) = dist.glob("taskito_core-*.tar.gz")
        with tarfile.open(path) as archive:
            files = {member.name.partition("/")[2] for member in archive.getmembers()}

        assert {"Cargo.toml", "Cargo.lock", "pyproject.toml", "PKG-INFO"} <= files
        crate = ROOT / "packages" / "taskito-core"
        for source in [*crate.glob("src/**/*.rs"), *crate.glob("src/**/*.sql")]:
            assert str(source.relative_to(ROOT)) in files


class TestTaskitoWheel:
    def test_it_needs_exactly_its_own_engine(self, dist: Path) -> None:
        about = metadata(wheel(dist, "taskito"))
        needs = [need for need in about.get_all("Requires-Dist", []) if "extra ==" not in need]

        assert sorted(needs) == ["cloudpickle>=3.0", f"taskito-core=={about['Version']}"]

    def test_pytest_and_the_shell_find_it(self, dist: Path) -> None:
        found = entry_points(wheel(dist, "taskito"))

        assert "[pytest11]\ntaskito = taskito.pytest_plugin" in found
        assert "[console_scripts]\ntaskito = taskito.cli:main" in found

    def test_tools_for_telemetry_find_the_instrumentor(self, dist: Path) -> None:
        assert (
            "[opentelemetry_instrumentor]\ntaskito = taskito.contrib.otel:TaskitoInstrumentor"
            in entry_points(wheel(dist, "taskito"))
        )

    def test_it_holds_the_pages_and_commands_for_django(self, dist: Path) -> None:
        with zipfile.ZipFile(wheel(dist, "taskito")) as archive:
            files = set(archive.namelist())

        source = ROOT / "packages" / "taskito" / "src"
        folder = source / "taskito" / "contrib" / "django"
        pages = {str(file.relative_to(source)) for file in folder.glob("templates/**/*.html")}
        assert "taskito/contrib/django/templates/taskito/admin/job.html" in pages
        assert pages <= files
        for command in ("check", "dashboard", "info", "worker"):
            assert f"taskito/contrib/django/management/commands/taskito_{command}.py" in files

    def test_each_integration_has_an_extra(self, dist: Path) -> None:
        about = metadata(wheel(dist, "taskito"))
        needs = [need.split("; extra == ") for need in about.get_all("Requires-Dist", [])]

        assert {(need[1].strip("'\""), need[0]) for need in needs if len(need) > 1} == {
            ("dashboard", "taskito-dashboard"),
            ("django", "django>=4.2"),
            ("fastapi", "fastapi>=0.100"),
            ("fastapi", "pydantic>=2"),
            ("flask", "taskito-flask"),
            ("orjson", "orjson>=3.9"),
            ("otel", "opentelemetry-api>=1.20"),
            ("prometheus", "prometheus-client>=0.20"),
        }


class TestFlaskWheel:
    def test_it_needs_flask_and_flask_finds_its_command(self, dist: Path) -> None:
        path = wheel(dist, "taskito_flask")

        assert set(metadata(path).get_all("Requires-Dist", [])) == {"flask>=2.3", "taskito>=0.3"}
        assert "[flask.commands]\ntaskito = taskito_flask.cli:cli" in entry_points(path)
